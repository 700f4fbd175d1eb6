--- What stands in for the network in a test: every target records what it is sent, and answers 200 unless mock.target says
-- otherwise; what handlers ask with http.* is answered by mock.http, or the test fails.
-- @module tidewire.trial.network
local requests = require "tidewire.trial.request"
local suggest = require "tidewire.suggest"
local views = require "tidewire.views"

local M = {}

local Network = {}
Network.__index = Network

local answer_fields = { status = true, json = true, text = true, body = true, headers = true, error = true }
local errors = { dns = true, connect = true, tls = true, timeout = true, reset = true }

--- @tparam {string,...} targets  their names
function M.new(targets)
  local known = {}
  for _, name in ipairs(targets) do
    known[name] = true
  end
  return setmetatable({ known = known, sent = {}, by_delivery = {}, mocks = {}, http = {}, asked = {} }, Network)
end

function Network:need_target(word, name)
  if not self.known[name] then
    error(("%s: there is no target %q%s"):format(word, tostring(name), suggest.hint(name, suggest.names_of(self.known))), 0)
  end
end

-- ---- what is sent ----

local function record(request)
  local headers = requests.headers(request.headers)
  local origin, rest = request.url:match "^(%a+://[^/?]*)(.*)$"
  local path, query = (rest or ""):match "^([^?]*)%??(.*)$"
  return {
    target = request.target, event = request.event, id = request.delivery, method = request.method, url = request.url,
    origin = origin, path = path, query = query, headers = headers, body = request.body, text = request.body,
    json = requests.json_of(request.body), answers = {},
  }
end

--- One entry for each message, however often it is tried.
function Network:note(request)
  local message = self.by_delivery[request.delivery]
  if not message then
    message = record(request)
    self.by_delivery[request.delivery] = message
    self.sent[#self.sent + 1] = message
  end
  return message
end

--- Messages that left, in the order of their `send`; those for which `wanted` says so.
function Network:list(wanted)
  local list = {}
  for _, message in ipairs(self.sent) do
    if wanted(message) then
      list[#list + 1] = message
    end
  end
  table.sort(list, function(a, b) return a.id < b.id end) -- ids of one worker never decrease
  return list
end

-- ---- what is answered ----

local function check_answer(word, answer)
  if type(answer) == "number" or type(answer) == "function" then
    return
  elseif type(answer) ~= "table" then
    error(word .. ": an answer is a status, { status, json, text, body, headers }, { error = \"timeout\" }, or a function "
      .. "of the request", 0)
  end
  for name in pairs(answer) do
    if not answer_fields[name] then
      error(("%s: an answer has no field '%s'%s"):format(word, tostring(name),
        suggest.hint(name, suggest.names_of(answer_fields))), 0)
    end
  end
  if answer.error and not errors[answer.error] then
    error(("%s: there is no error %q: %s"):format(word, tostring(answer.error),
      table.concat(suggest.names_of(errors), ", ")), 0)
  end
end

--- mock.target(name, { 503, { status = 200, json = … }, repeat_last = true }): in turn; after them 200, or the last one again.
function Network:mock_target(name, answers)
  self:need_target("mock.target", name)
  if type(answers) ~= "table" then
    answers = { answers }
  end
  for i = 1, #answers do
    check_answer("mock.target", answers[i])
  end
  self.mocks[name] = { answers = answers, next = 1 }
end

local function next_answer(mock)
  local count = #mock.answers
  local i = mock.next <= count and mock.next or mock.answers.repeat_last and count
  mock.next = mock.next + 1
  return i and mock.answers[i] or 200
end

local function flat(answer)
  if type(answer) == "number" then
    return { status = answer, body = "", content_type = "", retry_after = "" }
  elseif answer.error then
    return { error = answer.error, detail = "the test said so" }
  end
  local headers = { ["content-type"] = answer.json ~= nil and "application/json" or nil }
  for name, value in pairs(answer.headers or {}) do
    headers[name:lower()] = tostring(value)
  end
  local lines = {}
  for i, name in ipairs(suggest.names_of(headers)) do
    lines[i] = name .. ": " .. headers[name] .. "\r\n"
  end
  local body = answer.json ~= nil and views.json.encode(answer.json) or answer.text or answer.body or ""
  return { status = answer.status or 200, body = body, retry_after = headers["retry-after"] or "",
    content_type = headers["content-type"] or "", head = table.concat(lines) }
end

--- An answer as it was written: a function is asked.
local function said_of(word, answer, request)
  if type(answer) == "function" then
    answer = answer(request)
    check_answer(word, answer)
  end
  return flat(answer)
end

-- ---- what handlers ask ----

--- "GET */customers/*" as a pattern over "GET https://crm.example.com/customers/7".
local function pattern_of(key)
  return "^" .. key:gsub("[%^%$%(%)%%%.%[%]%+%-%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

--- mock.http { ["GET */customers/7"] = answer, or { answer, answer … }: in turn, the last one again }.
function Network:mock_http(answers)
  if type(answers) ~= "table" then
    error("mock.http wants a table: mock.http { [\"GET */customers/7\"] = { status = 404 } }", 0)
  end
  for key, answer in pairs(answers) do
    if type(key) ~= "string" or not key:find "^%u+ ." then
      error(("mock.http: write a method and an address, [\"GET */customers/7\"], not [%q]"):format(tostring(key)), 0)
    end
    local list = type(answer) == "table" and answer[1] ~= nil and answer or { answer }
    for i = 1, #list do
      check_answer("mock.http", list[i])
    end
    list.repeat_last = true
    self.http[key] = { answers = list, next = 1, pattern = pattern_of(key) }
  end
end

--- The mock that says most about this address; its query may be left out.
function Network:http_mock(what)
  local best, best_length
  for key, mock in pairs(self.http) do
    local length = #key:gsub("%*", "")
    if (what:find(mock.pattern) or what:gsub("%?.*$", ""):find(mock.pattern)) and (not best or length > best_length) then
      best, best_length = mock, length
    end
  end
  return best
end

function Network:answer_http(request)
  local asked = record(request)
  local what = request.method .. " " .. request.url
  local mock = self:http_mock(what)
  if not mock then
    error(("the rules ask %s, and no mock answers: write\nmock.http { [%q] = { status = 200, json = {} } }"):format(what,
      what:gsub("%?.*$", "")), 0)
  end
  local answered = said_of("mock.http", next_answer(mock), asked)
  self.asked[#self.asked + 1] = ("%s → %s"):format(what, tostring(answered.status or answered.error))
  return answered
end

--- Called for every request that leaves.
-- @tparam table request  of trial_native
-- @treturn table  its answer
function Network:answer(request)
  if request.target == "" then
    return self:answer_http(request)
  end
  local message = self:note(request)
  local mock = self.mocks[request.target]
  local answered = said_of("mock.target", mock and next_answer(mock) or 200, message)
  message.answers[#message.answers + 1] = answered.status or answered.error
  return answered
end

return M
