-- Argo CD's health of a fairlead.dev Session. Each state of a Session writes its reason into the condition Ready; docs/gitops.md has the table.
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end

local function is_true(kind)
  return conditions[kind] ~= nil and conditions[kind].status == "True"
end

local function health(word, condition)
  local message = condition.reason
  if condition.message ~= nil and condition.message ~= "" then
    message = message .. ": " .. condition.message
  end
  return { status = word, message = message }
end

-- An end is no success: nobody answers at its address any more.
if is_true("Failed") then
  return health("Degraded", conditions.Failed)
end
if is_true("Ended") then
  return health("Degraded", conditions.Ended)
end

local ready = conditions.Ready
if ready == nil then
  return { status = "Progressing", message = "the controller has not seen the Session yet" }
end

-- What goes on only when a person, or the scheduler, lets it.
if is_true("Suspended") and conditions.Suspended.reason == "JobSuspended" then
  if obj.spec.suspend then
    return health("Suspended", ready)
  end
  return { status = "Progressing", message = "spec.suspend is false again: the controller has not seen that yet" }
end
if ready.reason == "Held" or ready.reason == "Suspended" then
  return health("Suspended", ready)
end

-- It never goes on by itself: a person has to restore the directory, or to change a limit, or to delete the Session.
if ready.reason == "RunDirectoryMissing" or ready.reason == "Unschedulable" then
  return health("Degraded", ready)
end
if ready.status == "True" and obj.metadata.deletionTimestamp == nil then
  return health("Healthy", ready)
end
return health("Progressing", ready)
