--- What a handler says to a task. Checked here, noted in C (core/script/runs.c).
-- @module tidewire.task
local actions = require "tidewire.actions_native"
local faults = require "tidewire.faults"
local native = require "tidewire.task_native"
local values = require "tidewire.values"
local views = require "tidewire.views"

local M = {}

local type, select = type, select
local type_of = views.words.type
local fault, got = faults.fault, faults.got

local NAME_MAX = 256 -- as RUN_NAME_MAX of core/model/run_note.h

local function begin(task, word, self, given, most)
  if values.kind_of(self) ~= "task" then
    fault("write %s:%s(…), with a colon", task, word)
  end
  actions.need_handler(word .. "()")
  if given > most then
    fault("%s takes at most %d arguments, got %d", word, most, given)
  end
end

local function check_id(word, id)
  if type(id) ~= "string" or #id == 0 or #id > NAME_MAX then
    fault("%s: id is text of 1 to %d bytes, got %s%s", word, NAME_MAX, got(id),
      type_of(id) == "number" and ": write tostring(…)" or "")
  end
  return id
end

local function id_of(word, how)
  local id = faults.option(word, how, "id", '"…"')
  return id ~= nil and check_id(word, id) or nil
end

local function start(task, word, delay_ms, at_ms, data, how)
  if type_of(data) == "secret" then
    fault("%s: a secret is not kept: write secret \"NAME\" in the task", word)
  end
  local done, why = native.start("task:" .. task, delay_ms, at_ms, id_of(word, how), data)
  if not done then
    fault("%s: %s", word, why)
  end
end

--- The methods of one task.
-- @tparam string task  its name
function M.methods(task)
  local methods = {}
  function methods.run_in(self, ...)
    local after, data, how = ...
    begin(task, "run_in", self, select("#", ...), 3)
    start(task, "run_in", faults.milliseconds("run_in", after), nil, data, how)
  end
  function methods.run_at(self, ...)
    local at, data, how = ...
    begin(task, "run_at", self, select("#", ...), 3)
    start(task, "run_at", 0, faults.moment("run_at: the time", at), data, how)
  end
  function methods.run_now(self, ...)
    local data, how = ...
    begin(task, "run_now", self, select("#", ...), 2)
    start(task, "run_now", 0, nil, data, how)
  end
  function methods.cancel(self, ...)
    local id = ...
    begin(task, "cancel", self, select("#", ...), 1)
    local done, why = native.cancel("task:" .. task, check_id("cancel", id))
    if not done then
      fault("cancel: %s", why)
    end
  end
  return methods
end

return M
