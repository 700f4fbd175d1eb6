--- Moving in: a hooks file of adnanh/webhook as a rule file. What it says is taken over as far as it can be said here with the
-- same meaning; a hook for which that is not so comes switched off, with the reason beside it. Source: the project's
-- documentation, "Hook definition", "Hook rules" and "Referencing request values".
-- @module tidewire.cli.hooks
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local views = require "tidewire.views"

local WIDTH = 130 -- columns of a line that is written

local M = {}

local null = json.null

local function quoted(text)
  return (("%q"):format(text):gsub("\\\n", "\\n"))
end

local function given(value)
  if value ~= null then return value end
end

-- ---- where a value stands: their references as paths of rules ----

local function step(name)
  if name:find "^%d+$" then
    return ("[%d]"):format(tonumber(name) + 1) -- they count from 0
  elseif name:find "^[%a_][%w_]*$" then
    return "." .. name
  end
  return ("[%q]"):format(name)
end

local function payload_path(name)
  local path = "body"
  for part in name:gmatch "[^.]+" do
    path = path .. step(part)
  end
  return path
end

--- @treturn string|nil  a path, or nil and why there is none
local function path_of(parameter)
  local source, name = parameter.source, parameter.name or ""
  if source == "header" then
    return "headers." .. name:lower()
  elseif source == "url" or source == "query" then
    return "query" .. step(name)
  elseif source == "payload" then
    return payload_path(name)
  elseif source == "request" and name:lower() == "method" then
    return "method"
  elseif source == "request" and name:lower() == "remote-addr" then
    return "remote_ip"
  elseif source == "raw-request-body" then
    return "raw"
  end
  return nil, ("a value of the source %q has no equal here"):format(tostring(source))
end

-- ---- regular expressions (RE2) as patterns of Lua, where they mean the same ----

local classes = { d = "%d", D = "%D", s = "%s", S = "%S", w = "[%w_]", W = "[^%w_]" }
local magic = "[%^%$%(%)%%%.%[%]%*%+%-%?]"

local function escape(char)
  return char:find(magic) and "%" .. char or char
end

local function item_of(regex, at)
  local char = regex:sub(at, at)
  if char == "\\" then
    local next_char = regex:sub(at + 1, at + 1)
    if next_char:find "%w" then
      return classes[next_char], at + 2
    end
    return escape(next_char), at + 2
  elseif char == "[" then
    local set = regex:match("^%[%^?[%w_ ,:@/%-]+%]", at)
    return set, set and at + #set
  elseif char == "." then
    return ".", at + 1
  elseif char:find "[%(%)%{%}|%*%+%?%^%$%]]" then
    return nil
  end
  return escape(char), at + 1
end

--- @treturn string|nil
function M.pattern_of(regex)
  local out, at, stop = {}, 1, #regex
  if regex:sub(1, 1) == "^" then
    out[1], at = "^", 2
  end
  local anchored = regex:sub(-1) == "$" and regex:sub(-2) ~= "\\$"
  if anchored then
    stop = stop - 1
  end
  while at <= stop do
    local item, next_at = item_of(regex:sub(1, stop), at)
    if not item then return nil end
    local many = regex:sub(next_at, next_at):match "[%*%+%?]" or ""
    if many ~= "" and regex:sub(next_at + 1, next_at + 1):find "[%*%+%?]" or regex:sub(next_at, next_at) == "{" then
      return nil -- lazy, possessive or counted
    end
    out[#out + 1] = item .. many
    at = next_at + #many
  end
  return table.concat(out) .. (anchored and "$" or "")
end

-- ---- trigger rules ----

local hmacs = { ["payload-hmac-sha1"] = "sha1", ["payload-hmac-sha256"] = "sha256", ["payload-hmac-sha512"] = "sha512",
  ["payload-hash-sha1"] = "sha1", ["payload-hash-sha256"] = "sha256", ["payload-hash-sha512"] = "sha512" }

local condition -- below: an expression of Lua for a rule, or nil and why there is none

local function joined(list, word)
  local parts = {}
  for i, rule in ipairs(list) do
    local part, why = condition(rule)
    if not part then return nil, why end
    parts[i] = #list > 1 and part:find " and | or " and "(" .. part .. ")" or part
  end
  return table.concat(parts, word)
end

local function matching(match)
  if match.type ~= "value" and match.type ~= "regex" then
    return nil, ("a match of the type %q inside `or` or `not` cannot be taken over"):format(tostring(match.type))
  end
  local path, why = path_of(match.parameter or {})
  if not path then
    return nil, why
  end
  local value = ("event:get %s"):format(quoted(path))
  if match.type == "value" then
    return ("tostring(%s) == %s"):format(value, quoted(tostring(match.value or "")))
  end
  local pattern = M.pattern_of(match.regex or "")
  if not pattern then
    return nil, ("the regular expression %s has no equal pattern of Lua"):format(match.regex)
  end
  return ("tostring(%s):find(%s) ~= nil"):format(value, quoted(pattern))
end

function condition(rule)
  if rule["and"] then
    return joined(rule["and"], " and ")
  elseif rule["or"] then
    return joined(rule["or"], " or ")
  elseif rule["not"] then
    local inside, why = condition(rule["not"])
    return inside and ("not (%s)"):format(inside), why
  elseif rule.match then
    return matching(rule.match)
  end
  return nil, "a rule is none of and, or, not, match"
end

--- What a list of rules, all of which must hold, says about signature, addresses and the rest.
local function sort_out(rule, found)
  local match = rule.match
  if rule["and"] then
    for _, each in ipairs(rule["and"]) do sort_out(each, found) end
  elseif match and hmacs[match.type] and not found.hmac and (match.parameter or {}).source == "header" then
    found.hmac = match
  elseif match and match.type == "ip-whitelist" then
    for range in tostring(match["ip-range"] or ""):gmatch "%S+" do
      found.ranges[#found.ranges + 1] = range
    end
  else
    local text, why = condition(rule)
    found.conditions[#found.conditions + 1] = text and text:find " or " and "(" .. text .. ")" or text
    found.left[#found.left + 1] = not text and why or nil
  end
end

-- ---- the text ----

local function name_of(id, word)
  return id:upper():gsub("[^%w]", "_"):gsub("^(%d)", "H%1") .. "_" .. word
end

local function verify_line(hook, found, notes)
  local match = found.hmac
  if not match then
    return "verify.none \"the hooks file checked no signature\""
  end
  local secret, header = name_of(hook.id, "SECRET"), match.parameter.name
  local algorithm = hmacs[match.type]
  notes[#notes + 1] = ("export %s=…   the secret of the hook %q"):format(secret, hook.id)
  local prefix = header:lower():find "^x%-hub%-signature" and ("prefix = %s, "):format(quoted(algorithm .. "=")) or ""
  return ("verify.hmac { header = %s, %salgorithm = %s, secret = secret %s }"):format(quoted(header), prefix, quoted(algorithm),
    quoted(secret))
end

local function strings_of(list)
  local parts = {}
  for i, text in ipairs(list) do parts[i] = quoted(text) end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

local function reply_line(hook)
  local parts = { ("status = %d"):format(tonumber(given(hook["success-http-response-code"])) or 200) }
  local message = given(hook["response-message"])
  if message then
    parts[#parts + 1] = "text = " .. quoted(message)
  end
  local headers = {}
  for _, header in ipairs(given(hook["response-headers"]) or {}) do
    headers[#headers + 1] = ("[%s] = %s"):format(quoted(header.name), quoted(header.value))
  end
  if #headers > 0 then
    parts[#parts + 1] = "headers = { " .. table.concat(headers, ", ") .. " }"
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- The arguments of the command as fields of the message.
local function message_of(hook)
  local fields, seen = {}, {}
  for _, option in ipairs { "pass-arguments-to-command", "pass-environment-to-command", "pass-file-to-command" } do
    for _, parameter in ipairs(given(hook[option]) or {}) do
      local path = path_of(parameter)
      local name = parameter.envname or parameter.name or parameter.source
      local value = path and ("event:get %s"):format(quoted(path)) or parameter.source == "string" and quoted(parameter.name)
        or parameter.source == "entire-payload" and "event.body"
      if value and not seen[name] then
        seen[name] = true
        fields[#fields + 1] = ("[%s] = %s"):format(quoted(name), value)
      end
    end
  end
  if #fields == 0 then
    return "event"
  end
  return "{ json = { " .. table.concat(fields, ", ") .. " } }"
end

local function columns(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

local function may_end(code)
  return code:find "[,{]$" or code:find "%f[%w]and$" or code:find "%f[%w]or$"
end

--- The parts of a line between which it may be broken: a comment's words; else what ends in a comma, a brace, `and` or `or`
-- outside of texts.
local function parts_of(text)
  local parts, from, in_text, at = {}, 1, false, #text:match "^ *" + 1
  local is_comment = text:find("^%-%-", at) ~= nil
  while at <= #text do
    local char, before = text:sub(at, at), text:sub(from, at - 1)
    if in_text and char == "\\" then
      at = at + 1
    elseif char == "\"" and not is_comment then
      in_text = not in_text
    elseif char == " " and not in_text and (is_comment or may_end(before)) then
      parts[#parts + 1], from = before, at + 1
    end
    at = at + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts, is_comment
end

--- Text in lines of WIDTH columns, where that can be; a single long text stays whole.
local function wrapped(text)
  if columns(text) <= WIDTH then
    return text
  end
  local parts, is_comment = parts_of(text)
  local indent = text:match "^ *" .. (is_comment and "-- " or "  ")
  local lines, last = {}, parts[1]
  for i = 2, #parts do
    if columns(last) + 1 + columns(parts[i]) > WIDTH then
      lines[#lines + 1], last = last, indent .. parts[i]
    else
      last = last .. " " .. parts[i]
    end
  end
  lines[#lines + 1] = last
  return table.concat(lines, "\n")
end

local function line(out, format, ...)
  out[#out + 1] = wrapped(select("#", ...) > 0 and format:format(...) or format)
end

local function write_hook(hook, out, notes)
  local found = { ranges = {}, conditions = {}, left = {} }
  local target, url = hook.id:gsub("[^%w]", "_"):gsub("^(%d)", "h%1"):lower(), name_of(hook.id, "URL")
  if given(hook["trigger-rule"]) then
    sort_out(hook["trigger-rule"], found)
  end
  line(out, "")
  line(out, "-- The hook ran %s. The router runs no commands: let a small HTTP service run it, and name that here.",
    tostring(given(hook["execute-command"]) or "nothing"):gsub("%c", " "))
  line(out, "local %s = target %s { url = env(%s, \"http://127.0.0.1:9000/%s\"), private = true }", target, quoted(target),
    quoted(url), target)
  line(out, "")
  line(out, "route %s {", quoted("/hooks/" .. hook.id))
  for _, why in ipairs(found.left) do
    line(out, "  -- switched off: %s: write it into `when`", (why:gsub("%c", " ")))
    notes[#notes + 1] = ("the hook %q is switched off: %s"):format(hook.id, why)
  end
  if #found.left > 0 then
    line(out, "  enabled = false,")
  end
  line(out, "  verify  = %s,", verify_line(hook, found, notes))
  local methods = given(hook["http-methods"])
  line(out, "  methods = %s,", methods and #methods > 0 and strings_of(methods) or "{ \"GET\", \"POST\" }")
  if #found.ranges > 0 then
    line(out, "  ip_allow = %s,", strings_of(found.ranges))
  end
  if #found.conditions > 0 then
    line(out, "  when    = function(event) return %s end,", table.concat(found.conditions, " and "))
  end
  line(out, "  reply   = %s,", reply_line(hook))
  line(out, "  handle  = function(event)")
  line(out, "    send(%s, %s)", target, message_of(hook))
  line(out, "  end,")
  line(out, "}")
  notes[#notes + 1] = ("export %s=…   the service that does what %s did"):format(url,
    tostring(given(hook["execute-command"]) or "the command"))
end

local function decode(text, name)
  local first = text:match "^%s*(.)"
  if first ~= "[" and first ~= "{" or name:find "%.ya?ml$" then
    local as_json, why = native.yaml(text)
    if not as_json then return nil, why end
    text = as_json
  end
  local decoded, why = views.json.decode(text)
  if decoded == nil then
    local template = text:find("{{", 1, true) and " (a template is to be filled in first)" or ""
    return nil, tostring(why) .. template
  end
  return views.words.copy(decoded)
end

--- @tparam string text  hooks.json or hooks.yaml
-- @tparam string name  of the file, for the comment
-- @treturn string|nil  a rule file, or nil and what is wrong
-- @treturn {string,...}  what is left to do, a line each
function M.convert(text, name)
  local hooks, why = decode(text, name)
  if not hooks then
    return nil, ("%s: %s"):format(name, why)
  elseif type(hooks) ~= "table" or type(hooks[1]) ~= "table" then
    return nil, name .. ": a hooks file is a list of hooks"
  end
  local out, notes = { ("-- Moved from %s."):format(name) }, {}
  for i, hook in ipairs(hooks) do
    if type(hook.id) ~= "string" or not hook.id:find "^[%w%._%-]+$" then
      return nil, ("%s: the hook at place %d has no id of letters, digits, '-', '_' and '.'"):format(name, i)
    end
    write_hook(hook, out, notes)
  end
  return table.concat(out, "\n") .. "\n", notes
end

return M
