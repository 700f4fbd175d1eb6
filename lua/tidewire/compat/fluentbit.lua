--- Filters written for Fluent Bit's Lua filter: function (tag, timestamp, record) → code, timestamp, record; with five parameters
-- (tag, timestamp, group, metadata, record) → code, timestamp, metadata, record. Source: its documentation, "Lua" filter.
-- @module tidewire.compat.fluentbit
local plain = require "tidewire.compat.plain"
local views = require "tidewire.views"

local M = {}

local DROP, KEEP, CHANGED, RECORD_CHANGED = -1, 0, 1, 2

--- One record, or a list of them, as a list.
local function list_of(records)
  if type(records) == "table" and type(records[1]) == "table" then
    return records
  end
  return { records }
end

local function call_filter(filter, options, timestamp, record)
  local given = options.time_as_table and { sec = math.floor(timestamp), nsec = math.floor(timestamp % 1 * 1e9) } or timestamp
  if debug.getinfo(filter, "u").nparams < 5 then
    return filter(options.tag, given, record)
  end
  local code, _, _, changed = filter(options.tag, given, {}, {}, record)
  return code, given, changed
end

--- @tparam function filter
-- @tparam table options  { call, tag, time_as_table }
-- @treturn function  event → list of records, empty when the filter has dropped them
function M.handler(filter, options)
  return function(event)
    local body, out = plain.from(event.body), views.json.array {}
    for _, record in ipairs(type(body) == "table" and list_of(body) or { { log = body } }) do
      local code, _, changed = call_filter(filter, options, event.received_at, record)
      if code == KEEP then
        out[#out + 1] = record
      elseif code == CHANGED or code == RECORD_CHANGED then
        for _, each in ipairs(list_of(changed)) do out[#out + 1] = each end
      elseif code ~= DROP then
        error(("compat.fluentbit: %s gave the code %s: -1 drops, 0 keeps, 1 and 2 replace"):format(options.call,
          tostring(code)), 0)
      end
    end
    return out
  end
end

return M
