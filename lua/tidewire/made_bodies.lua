--- Bodies of messages that are made of a table: form, xml, cloudevent. Each takes what the rule gave and returns what native.send
-- (core/script/plan.c) wants: the kind, the value and the content type; or nil, nil, nil and what is wrong.
-- @module tidewire.made_bodies
local form = require "tidewire.form"
local parts = require "tidewire.parts"
local time = require "tidewire.time"
local uuid = require "tidewire.uuid"
local views = require "tidewire.views"
local xml = require "tidewire.xml"

local M = {}

local XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'

local type_of, pairs_of = views.words.type, views.words.pairs

--- Pieces: secrets among them are escaped where they are filled in.
function M.form(fields)
  local list, why = form.parts(fields)
  if not list then return nil, nil, nil, "form: " .. why end
  return "form", parts.merge(list), "application/x-www-form-urlencoded"
end

function M.xml(node)
  local list, why = xml.parts(node)
  if not list then return nil, nil, nil, "xml: " .. why end
  table.insert(list, 1, XML_HEAD)
  return "xml", parts.merge(list), "application/xml; charset=utf-8"
end

local examples = { type = "com.example.order.created", source = "https://example.com/orders" }

local function fault_of_attribute(attributes, name)
  local value = attributes[name]
  if type(value) ~= "string" or value == "" then
    return ("cloudevent wants %s as text, such as %q, got %s"):format(name, examples[name], value == "" and "an empty text"
      or type_of(value))
  end
end

local function fault_of_names(attributes)
  for name in pairs_of(attributes) do
    if type(name) ~= "string" or not name:find "^[%l%d]+$" and name ~= "data_base64" then
      return ("cloudevent: %s is no name of an attribute: lower-case letters and digits only"):format(
        type(name) == "string" and ("%q"):format(name) or "a number")
    end
  end
end

local function fault_of(attributes)
  if type_of(attributes) ~= "table" then
    return "cloudevent is a table such as { type = …, source = …, data = … }, got " .. type_of(attributes)
  elseif attributes.specversion ~= nil and attributes.specversion ~= "1.0" then
    return "cloudevent: specversion is \"1.0\": leave it out"
  end
  return fault_of_names(attributes) or fault_of_attribute(attributes, "type") or fault_of_attribute(attributes, "source")
end

--- A structured CloudEvent 1.0 (JSON event format): what has to be there and is not, is filled in.
function M.cloudevent(attributes)
  local why = fault_of(attributes)
  if why then return nil, nil, nil, why end
  return "json", views.words.merge(attributes, {
    specversion = "1.0", id = attributes.id or uuid.v7(), time = attributes.time or time.iso(time.now()),
  }), "application/cloudevents+json; charset=utf-8"
end

return M
