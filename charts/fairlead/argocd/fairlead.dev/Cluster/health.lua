-- Argo CD's health of a fairlead.dev Cluster; docs/gitops.md has the table.
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

-- What is said of an older spec says nothing of this one: a wrong host key may just have been mended.
local ready = conditions.Ready
if ready == nil or status.observedGeneration ~= obj.metadata.generation then
  return { status = "Progressing", message = "the controller has not seen this spec yet" }
end

if ready.reason == "Suspended" then
  return health("Suspended", ready)
end
if ready.status == "True" then
  if is_true("SweepHeld") then -- Jobs go on; only what is left of deleted ones waits for a person
    return health("Healthy", conditions.SweepHeld)
  end
  return health("Healthy", ready)
end
if is_true("Stalled") then
  return health("Degraded", ready)
end

-- It mends itself when the cluster answers. One that was ready before is worse off than before; a new one is on its way.
if ready.reason ~= "Connecting" and status.lastHeartbeatTime ~= nil then
  return health("Degraded", ready)
end
return health("Progressing", ready)
