--- tidewire explain EVENT|FILE: what the present rules would do with an event, decision by decision; nothing is stored or sent.
-- @module tidewire.cli.explain
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local rules_of = require "tidewire.cli.rules_of"
local screen = require "tidewire.cli.screen"
local subjects = require "tidewire.cli.subjects"

local M = { summary = "a dry run of an event, with each decision: nothing is stored, nothing is sent" }

local VALUE_SHOWN_MAX = 120 -- bytes

function M.describe(command)
  command:argument("what", "the id of a stored event, or a file: a sample of `events save`, or a body")
  command:option("--route", "the path that a file is sent to; a sample and an event know theirs"):argname "PATH"
  command:option("--type", "the event type that the sender of a body names; default: that of its first sample"):argname "TYPE"
  command:option("--store", "the store to read when no router runs"):argname "PATH"
end

-- ---- on the screen ----

local function say(name, format, ...)
  print(("%-13s%s"):format(name, (format:format(...):gsub("%s+$", ""):gsub("\n", "\n" .. (" "):rep(13)))))
end

local function more(format, ...)
  say("", format, ...)
end

local function value_text(value)
  local text = value == nil and "nothing" or json.encode(value)
  return #text > VALUE_SHOWN_MAX and text:sub(1, VALUE_SHOWN_MAX) .. " …" or text
end

local function duration_text(ms)
  for _, unit in ipairs { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" } } do
    if ms % unit[1] == 0 then
      return ("%d%s"):format(ms / unit[1], unit[2])
    end
  end
  return ("%gs"):format(ms / 1000)
end

local function print_condition(condition)
  local wanted = {}
  for i, value in ipairs(condition.wanted) do
    wanted[i] = value_text(value)
  end
  local got = condition.path:find("[*]", 1, true) and "" or ", got " .. value_text(condition.got)
  say("when", "%s %s: wanted %s%s", condition.holds and "✓" or "✗", condition.path, table.concat(wanted, " or "), got)
end

local function print_event(event, found)
  say("content", "decoded as %s%s", event.decoded, event.type and ", type " .. event.type or "")
  for _, condition in ipairs(event.when or {}) do
    print_condition(condition)
  end
  if found.when_function then
    say("when", "%s a function of the rules", found.state == "ignored" and "✗" or "✓")
  elseif #(event.when or {}) == 0 then
    say("when", "✓ the route takes every event")
  end
  if event.key then
    say("dedupe", "%s = %s, would be remembered for %s", found.dedupe.path or "its function", value_text(event.key),
      duration_text(found.dedupe.within_ms))
  end
end

local function print_verification(found, subject)
  local by, valid = found.verification.by, found.verification.valid
  if valid == nil then
    say("verification", "· by %s: the request ended for another reason", by)
  elseif by == "none" then
    say("verification", "✓ the route asks for none")
  else
    say("verification", "%s by %s, re-signed with stand-ins: %s", valid and "✓" or "✗", by, valid and "valid" or "refused")
  end
  if subject.verified then
    more("not repeated: the stored event was verified (%s) when it came, %s", subject.verified.by, subject.verified.at)
  end
  if subject.missing and #subject.missing > 0 then
    more("headers the store does not show are made anew or absent: %s", table.concat(subject.missing, ", "))
  end
end

local function print_messages(found)
  for _, message in ipairs(found.messages) do
    say("message", "%s: %s %s%s, due %s", message.target, message.method or "", message.url or "(not made ready)",
      message.key and ", order key " .. value_text(message.key) or "", message.due)
    more("%s%s", message.body, (message.body_bytes or 0) > #message.body and (" … (%d bytes)"):format(message.body_bytes) or "")
  end
  if #found.messages == 0 then
    say("messages", "none")
  end
end

local function is_handled(state)
  return state ~= "ignored" and state ~= "refused" and state ~= "duplicate"
end

local function print_handler(found)
  if not is_handled(found.state) then
    local is_handshake = found.state == "ignored" and #found.events == 0
    local why = is_handshake and "a handshake, which is answered at the door" or found.state
    say("handler", "not called: %s%s", why, found.reason and ": " .. found.reason or "")
    return
  end
  local is_failed = found.state == "waiting" and found.reason
  say("handler", "%s:%d  %s%s", found.handler.file, found.handler.line,
    is_failed and "failed, and would be tried again" or found.state, found.reason and ": " .. found.reason or "")
  for _, asked in ipairs(found.asked) do
    more("asks %s %s: not asked in a dry run, the handler sees a server that cannot be reached", asked.method, asked.url)
  end
  for _, line in ipairs(found.log) do
    more("log %s", line)
  end
end

local function print_found(found, subject)
  if not found.route then
    say("route", "✗ none takes %s", found.path)
  else
    say("route", "✓ %s  %s:%d", found.route.path, found.route.file, found.route.line)
    print_verification(found, subject)
    for _, event in ipairs(found.events) do
      print_event(event, found)
    end
    if found.schema then
      say("schema", "%s%s", found.schema.holds and "✓ holds" or "✗ ", found.schema.why or "")
    end
    if found.dedupe.by == "none" and #found.events > 0 then
      say("dedupe", "none: an equal event would be handled again")
    end
    print_handler(found)
    print_messages(found)
  end
  say("reply", "%d %s", found.reply.status, found.reply.body)
end

-- ---- here ----

local function document_of(found, subject)
  found.verified_before = subject.verified
  for _, name in ipairs { "events", "messages", "asked", "log" } do
    found[name] = json.array(found[name] or {})
  end
  return json.encode(found)
end

function M.run(arguments)
  local folder = arguments.folder or "."
  local subject, code = subjects.of(arguments, arguments.what)
  if not subject then
    return code
  end
  local rules = native.check(folder, false, screen.colour, true, true)
  if rules.errors > 0 then
    io.stderr:write(rules.text)
    return 3
  end
  rules.folder = folder
  local loaded = rules_of.run(native.rule_files())
  local found, why = require("tidewire.trial.explain").run(rules, loaded, subject.path, subject.request)
  if not found then
    screen.fail(why)
    return 1
  end
  if arguments.json then
    print(document_of(found, subject))
  else
    print_found(found, subject)
  end
  return 0
end

return M
