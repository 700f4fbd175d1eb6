--- What `tidewire test` says: to a person, as JSON lines, as TAP, as JUnit XML.
-- @module tidewire.cli.test_reports
local json = require "tidewire.cli.json"
local screen = require "tidewire.cli.screen"

local M = {}

local function plural(n, word)
  return ("%d %s%s"):format(n, word, n == 1 and "" or "s")
end

local function coloured(colour, text)
  return screen.colour and ("\027[%sm%s\027[0m"):format(colour, text) or text
end

--- @treturn table  { tests, passed, failed, errors, seconds }
function M.summary(results, seconds)
  local summary = { tests = #results, passed = 0, failed = 0, errors = 0, seconds = seconds }
  for _, result in ipairs(results) do
    local name = result.outcome == "error" and "errors" or result.outcome
    summary[name] = summary[name] + 1
  end
  return summary
end

--- By file, in the order of the file.
local function sorted(results)
  local list = {}
  for i, result in ipairs(results) do
    list[i] = { result = result, i = i }
  end
  table.sort(list, function(a, b)
    if a.result.file ~= b.result.file then
      return a.result.file < b.result.file
    end
    return a.i < b.i
  end)
  for i, entry in ipairs(list) do
    list[i] = entry.result
  end
  return list
end

local function place(result)
  local line = result.at_line or result.line
  return (result.at_file or result.file) .. (line and ":" .. line or "")
end

--- What is wrong, as lines.
local function explain(result)
  local lines = { ("%s: %s"):format(place(result), result.message) }
  for _, difference in ipairs(result.differences) do
    if difference.path ~= "" then
      lines[#lines + 1] = "  at " .. difference.path
    end
    lines[#lines + 1] = "  expected " .. difference.want
    lines[#lines + 1] = "  got      " .. difference.got
  end
  return lines
end

local function with_surroundings(result)
  local lines = explain(result)
  local function add(title, list)
    if #list > 0 then
      lines[#lines + 1] = title
      for _, line in ipairs(list) do
        lines[#lines + 1] = "  " .. line
      end
    end
  end
  add("fed", result.story or {})
  add("logged", result.log or {})
  return lines
end

-- ---- to a person ----

local signs = { passed = { "32", "●" }, failed = { "31", "✗" }, error = { "31", "✗" } }

local function print_failures(results)
  for _, result in ipairs(results) do
    for _, line in ipairs(result.said) do
      print(("%s: %s"):format(result.file, line))
    end
    if result.outcome ~= "passed" then
      print(("\n%s %s%s  %s"):format(coloured("31", "✗"), result.file, result.line and ":" .. result.line or "", result.name))
      print("    " .. table.concat(with_surroundings(result), "\n    "))
    end
  end
end

local function terminal()
  local report = {}
  function report.on_result(result)
    io.write(coloured(unpack(signs[result.outcome])))
    io.flush()
  end
  function report.finish(results, summary)
    io.write "\n"
    print_failures(sorted(results))
    local parts = { plural(summary.passed, "test") .. " passed" }
    if summary.failed > 0 then
      parts[#parts + 1] = ("%d failed"):format(summary.failed)
    end
    if summary.errors > 0 then
      parts[#parts + 1] = plural(summary.errors, "error")
    end
    print(("%s%s in %.2f s"):format(summary.tests > summary.passed and "\n" or "", table.concat(parts, ", "), summary.seconds))
  end
  return report
end

-- ---- for programs ----

local function as_json()
  local report = { on_result = function() end }
  function report.finish(results)
    for _, result in ipairs(sorted(results)) do
      result.kind = nil
      for _, name in ipairs { "differences", "story", "log", "said" } do
        if #(result[name] or {}) == 0 then
          result[name] = json.array {}
        end
      end
      print(json.encode(result))
    end
  end
  return report
end

local function print_tap_failure(result)
  print "  ---"
  print("  at: " .. json.encode(place(result)))
  print "  message: |"
  print("    " .. table.concat(with_surroundings(result), "\n    "))
  print "  ..."
end

local function as_tap()
  local report = { on_result = function() end }
  function report.finish(results, summary)
    print("TAP version 13\n1.." .. summary.tests)
    for i, result in ipairs(sorted(results)) do
      local name = (result.file .. ": " .. result.name):gsub("#", "\\#"):gsub("%c", " ")
      print(("%s %d - %s"):format(result.outcome == "passed" and "ok" or "not ok", i, name))
      if result.outcome ~= "passed" then
        print_tap_failure(result)
      end
    end
  end
  return report
end

--- @tparam table arguments  tap, json
-- @treturn table  on_result(result) as they come; finish(results, summary)
function M.new(arguments)
  return arguments.json and as_json() or arguments.tap and as_tap() or terminal()
end

-- ---- JUnit ----

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["\n"] = "&#10;", ["\t"] = "&#9;" }

--- What XML 1.0 has no character for is left out.
local function xml(text)
  return (tostring(text):gsub("[%z\1-\8\11-\31\127]", ""):gsub('[&<>"\n\t]', entities))
end

local function by_file(results)
  local suites = {}
  for _, result in ipairs(sorted(results)) do
    local last = suites[#suites]
    if not last or last.file ~= result.file then
      last = { file = result.file, results = {}, seconds = 0 }
      suites[#suites + 1] = last
    end
    table.insert(last.results, result)
    last.seconds = last.seconds + result.seconds
  end
  return suites
end

local function add_case(lines, result)
  local head = ('    <testcase name="%s" classname="%s" file="%s" line="%d" time="%.3f"'):format(xml(result.name),
    xml(result.file), xml(result.file), result.line or 1, result.seconds)
  if result.outcome == "passed" then
    lines[#lines + 1] = head .. "/>"
    return
  end
  local kind = result.outcome == "failed" and "failure" or "error"
  lines[#lines + 1] = head .. ">"
  lines[#lines + 1] = ('      <%s message="%s">%s</%s>'):format(kind, xml(result.message),
    xml(table.concat(with_surroundings(result), "\n")), kind)
  lines[#lines + 1] = "    </testcase>"
end

local function counts(summary, seconds)
  return ('tests="%d" failures="%d" errors="%d" time="%.3f"'):format(summary.tests, summary.failed, summary.errors, seconds)
end

--- @treturn boolean|nil  true; or nil and why
function M.write_junit(name, results, summary)
  local lines = { '<?xml version="1.0" encoding="UTF-8"?>', "<testsuites " .. counts(summary, summary.seconds) .. ">" }
  for _, suite in ipairs(by_file(results)) do
    lines[#lines + 1] = ('  <testsuite name="%s" %s>'):format(xml(suite.file), counts(M.summary(suite.results), suite.seconds))
    for _, result in ipairs(suite.results) do
      add_case(lines, result)
    end
    lines[#lines + 1] = "  </testsuite>"
  end
  lines[#lines + 1] = "</testsuites>\n"
  local file, why = io.open(name, "wb")
  if not file then
    return nil, why
  end
  file:write(table.concat(lines, "\n"))
  return file:close()
end

return M
