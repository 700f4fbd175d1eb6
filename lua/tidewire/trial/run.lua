--- A run: what became of one request. Its fields say how things are at the moment when they are looked at.
-- @module tidewire.trial.run
local json = require "tidewire.cli.json"
local suggest = require "tidewire.suggest"
local trial = require "tidewire.trial_native"

local M = {}

local function plain(value)
  if value ~= json.null then
    return value
  end
end

--- "no more tries (5): answered 503" → "answered 503", "no more tries (5)".
local function split_reason(reason)
  if not reason then
    return nil, nil
  end
  for _, pattern in ipairs { "^(no more tries %(%d+%)): (.*)$", "^(older than %d+ s): (.*)$" } do
    local ended, what = reason:match(pattern)
    if what then
      return what, ended
    end
  end
  return reason, nil
end

local function delivery_of(from)
  local tries = {}
  for i, try in ipairs(from.tries) do
    tries[i] = { status = plain(try.status), error = plain(try.error_type), at = try.at }
  end
  local reason, ended = split_reason(plain(from.reason))
  return { id = from.id, target = from.target, state = from.state, reason = reason, ended = ended, attempts = from.attempts,
    next_at = from.next_at, tries = tries }
end

--- What is known of each event that the request made.
local function events_of(run)
  local events = {}
  for _, id in ipairs(run.ids) do
    local text = trial.show(id)
    events[#events + 1] = text and json.decode(text) or nil
  end
  return events
end

--- Of several events, the first one that is not done says how things are.
local function state_of(run)
  if #run.ids == 0 then
    local is_duplicate = run.response.headers["tidewire-duplicate"] ~= nil
    return is_duplicate and "duplicate" or run.status < 300 and "ignored" or "refused"
  end
  for _, event in ipairs(events_of(run)) do
    if event.state ~= "done" then
      return event.state
    end
  end
  return "done" -- what keeps nothing is nowhere to be found once it is delivered
end

local function deliveries_of(run)
  local deliveries = {}
  for _, event in ipairs(events_of(run)) do
    for _, delivery in ipairs(event.deliveries) do
      deliveries[#deliveries + 1] = delivery_of(delivery)
    end
  end
  return deliveries
end

local function reason_of(run)
  if #run.ids == 0 then
    local problem = run.response.json
    return type(problem) == "userdata" and problem.detail or nil
  end
  for _, event in ipairs(events_of(run)) do
    if plain(event.reason) then
      return event.reason
    end
  end
  for _, delivery in ipairs(deliveries_of(run)) do
    if delivery.reason then
      return delivery.reason
    end
  end
end

local function sent_of(run)
  local is_ours = {}
  for _, id in ipairs(run.ids) do
    is_ours[id] = true
  end
  return run.network:list(function(message) return is_ours[message.event] end)
end

local function first_event(run)
  return events_of(run)[1] or {}
end

local run_fields = {
  state = state_of, reason = reason_of, deliveries = deliveries_of, sent = sent_of,
  type = function(run) return plain(first_event(run).type) end,
  attempt = function(run) return first_event(run).attempt end,
  id = function() end,
}
local run_names = suggest.names_of(run_fields)
for _, name in ipairs { "status", "response", "ids" } do
  run_names[#run_names + 1] = name
end

local run_meta = {
  __index = function(run, name)
    local field = run_fields[name]
    if not field then
      error(("a run has no field '%s'%s"):format(tostring(name), suggest.hint(name, run_names)), 2)
    end
    return field(run)
  end,
}

--- The events that a request made: none where it was refused, ignored or a duplicate; of a list (`each`) the newest ones.
local function ids_of(response)
  local first = response.headers["tidewire-event-id"]
  if not first or response.headers["tidewire-duplicate"] then
    return {}
  end
  local count = type(response.json) == "userdata" and tonumber(response.json.count) or 1
  if count == 1 then
    return { first }
  end
  local newest, ids = json.decode(trial.list()).items, {}
  for i = math.min(count, #newest), 1, -1 do
    ids[#ids + 1] = newest[i].id
  end
  return ids
end

--- @tparam table response  of request.parse
-- @tparam table network
-- @treturn table  fields: status, response, id, ids, state, reason, sent, deliveries, type, attempt
function M.new(response, network)
  return setmetatable({ status = response.status, response = response, id = response.headers["tidewire-event-id"],
    ids = ids_of(response), network = network }, run_meta)
end

return M
