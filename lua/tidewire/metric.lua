--- metric.*: numbers that rules make, on /metrics as tidewire_user_<name>. They stay when the handler drops its event or fails.
-- @module tidewire.metric
local actions = require "tidewire.actions_native"
local native = require "tidewire.metric_native"
local views = require "tidewire.views"

local M = {}

local NAME_MAX, LABELS_MAX = 64, 8
local type_of, text_of = views.words.type, views.words.tostring

local function fault(format, ...)
  actions.fault(format:format(...))
end

local function check_name(word, name)
  if type(name) ~= "string" or #name > NAME_MAX or not name:find "^%a[%w_]*$" then
    fault("%s wants a name of letters, digits and '_', at most %d, such as \"orders_total\"", word, NAME_MAX)
  end
end

local function check_value(word, value, least)
  if type(value) ~= "number" or value - value ~= 0 or value < least then
    fault("%s wants a number%s, got %s", word, least == 0 and " not below zero" or "",
      type(value) == "number" and text_of(value) or "a " .. type_of(value))
  end
end

local function label_text(word, name, value)
  local kind = type_of(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    fault("%s: the label '%s' has to be text, a number or a boolean, got a %s", word, name, kind)
  end
  return text_of(value)
end

--- @treturn {string,...}  name, value, name, value …, sorted by name
local function label_list(word, labels)
  if labels == nil then return {} end
  if type(labels) ~= "table" then
    fault("%s: labels are a table such as { source = \"shop\" }, got a %s", word, type_of(labels))
  end
  local names, list = {}, {}
  for name in next, labels do
    if type(name) ~= "string" or #name > NAME_MAX or not name:find "^%a[%w_]*$" then
      fault("%s: the name of a label is letters, digits and '_', at most %d", word, NAME_MAX)
    elseif name == "route" or name == "le" or name == "quantile" then
      fault("%s: the label '%s' is made by tidewire itself", word, name)
    end
    names[#names + 1] = name
    if #names > LABELS_MAX then
      fault("%s: at most %d labels", word, LABELS_MAX)
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    list[2 * i - 1], list[2 * i] = name, label_text(word, name, rawget(labels, name))
  end
  return list
end

local function note(kind, name, value, labels, least)
  local word = "metric." .. kind
  actions.need_handler(word .. "()")
  check_name(word, name)
  check_value(word, value, least)
  if kind == "count" and name:sub(-6) ~= "_total" then
    name = name .. "_total"
  end
  local wrong = native.note(kind, name, value, label_list(word, labels))
  if wrong then
    fault("%s: '%s' %s", word, name, wrong)
  end
end

--- Adds to a number that only grows; by one without a value.
function M.count(name, value, labels)
  note("count", name, value == nil and 1 or value, labels, 0)
end

--- Sets a number that goes up and down.
function M.gauge(name, value, labels)
  note("gauge", name, value, labels, -math.huge)
end

--- One value of many, as a histogram.
function M.observe(name, value, labels)
  note("observe", name, value, labels, 0)
end

return M
