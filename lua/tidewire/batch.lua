--- What a handler says to a batch. Checked here, noted in C (core/script/runs.c).
-- @module tidewire.batch
local actions = require "tidewire.actions_native"
local faults = require "tidewire.faults"
local native = require "tidewire.task_native"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local select = select
local type_of, get, text_of = views.words.type, views.words.get, views.words.tostring
local fault, got = faults.fault, faults.got

local KEY_MAX = 256 -- as RUN_NAME_MAX of core/model/run_note.h

--- The group of an item; "" for the common one.
local function key_of(by, item)
  local value = by and type_of(item) == "table" and get(item, by)
  local kind = type_of(value)
  if not value and kind ~= "boolean" or kind == "null" then
    return ""
  elseif kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    fault("add: the item's %s is to be text or a number, for it says which group is its own, got %s", by, got(value))
  end
  local key = text_of(value)
  if #key > KEY_MAX then
    fault("add: the item's %s has %d bytes, at most %d", by, #key, KEY_MAX)
  end
  return key
end

--- The methods of one batch.
-- @tparam string batch  its name
-- @tparam table record  every, max, by
function M.methods(batch, record)
  local methods, route = {}, "batch:" .. batch
  function methods.add(self, ...)
    local item = ...
    if values.kind_of(self) ~= "batch" then
      fault("write %s:add(…), with a colon", batch)
    end
    actions.need_handler "add()"
    local kind = type_of(item)
    if select("#", ...) ~= 1 then
      fault("add takes one item, got %d", select("#", ...))
    elseif kind == "nil" or kind == "null" then
      fault("add wants an item, got %s", got(item))
    elseif kind == "secret" then
      fault("add: a secret is not kept: write secret \"NAME\" in flush")
    end
    local done, why = native.add(route, key_of(record.by, item), item, record.every, record.max)
    if not done then
      fault("add: %s", why)
    end
  end
  return methods
end

return M
