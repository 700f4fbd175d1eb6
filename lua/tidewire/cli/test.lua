--- tidewire test: runs *_test.lua beside the rules, each test in a router of its own, files side by side.
-- @module tidewire.cli.test
local coverage = require "tidewire.cli.test_coverage"
local files = require "tidewire.cli.test_files"
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local reports = require "tidewire.cli.test_reports"
local screen = require "tidewire.cli.screen"
local test_native = require "tidewire.test_native"
local trial = require "tidewire.trial_native"

local WATCH_MS = 100 -- between two looks at the files

local M = { summary = "run the tests beside the rules: *_test.lua" }

function M.describe(command)
  command:argument("files", "test files, or folders with them; default: the present folder"):args "*"
  command:option("--only", "tests whose name contains this"):argname "TEXT"
  command:flag("--watch", "run them again when a file changes")
  command:flag("--coverage", "also print the lines of handlers that no test has run")
  command:flag("--tap", "results as TAP")
  command:option("--junit", "results as JUnit XML, too"):argname "FILE"
end

-- ---- in a process of its own: the files of one piece ----

--- What a piece says, one line of JSON each: { kind = "begin" | "result" | "rules" | "coverage" | "end", … }.
local function work_on(piece, arguments, write)
  local function say(line)
    write(json.encode(line) .. "\n")
  end
  trial.keep_log()
  local checked = native.check(piece.folder, false, false, true)
  if checked.errors > 0 then
    say { kind = "rules", text = checked.text }
    return
  end
  if arguments.coverage then
    trial.cover()
  end
  local only = arguments.only and arguments.only:lower()
  checked.folder = piece.folder
  local run_file = require("tidewire.trial").run_file
  for _, file in ipairs(piece.files) do
    say { kind = "begin", file = file.name }
    local function tell(result)
      result.kind, result.file = "result", file.name
      say(result)
    end
    local failed = run_file(checked, file, function(name)
      return not only or name:lower():find(only, 1, true) ~= nil
    end, tell)
    if failed then
      tell(failed)
    end
  end
  for _, covered in ipairs(arguments.coverage and coverage.of(checked.files, trial.covered()) or {}) do
    covered.kind, covered.folder = "coverage", piece.folder
    say(covered)
  end
  say { kind = "end" }
end

-- ---- here ----

--- Lines out of bytes as they come.
local function line_reader(on_line)
  local rest = ""
  return function(bytes)
    rest = rest .. bytes
    local from = 1
    for line, stop in rest:gmatch "([^\n]*)\n()" do
      on_line(json.decode(line))
      from = stop
    end
    rest = rest:sub(from)
  end
end

local function fallen(piece, signal)
  return { kind = "result", file = piece.at or piece.files[1].name, name = piece.at or piece.files[1].name, outcome = "error",
    message = signal ~= 0 and ("its process ended by signal %d"):format(signal) or "its process ended early", differences = {},
    said = {}, seconds = 0 }
end

--- What a piece says goes into `all`.
local function on_line(all, piece, line)
  if line.kind == "begin" then
    piece.at = line.file
  elseif line.kind == "rules" then
    all.broken[piece.folder] = line.text
    piece.done = true
  elseif line.kind == "end" then
    piece.done = true
  elseif line.kind == "coverage" then
    all.coverage:add(line)
  else
    all.take(line)
  end
end

--- Runs all pieces; collects results, the mistakes of rules that did not load, and coverage.
local function run_pieces(pieces, arguments, on_result)
  local all = { results = {}, broken = {}, coverage = coverage.new() }
  local readers = {}
  function all.take(result)
    all.results[#all.results + 1] = result
    on_result(result)
  end
  for i, piece in ipairs(pieces) do
    readers[i] = line_reader(function(line) on_line(all, piece, line) end)
  end
  local ok, why = test_native.side_by_side(#pieces, test_native.processors(), function(i, write)
    local done, failed = xpcall(work_on, debug.traceback, pieces[i], arguments, write)
    if not done then
      io.stderr:write("tidewire: ", tostring(failed), "\n")
    end
  end, function(i, bytes)
    readers[i](bytes)
  end, function(i, signal)
    if not pieces[i].done then
      all.take(fallen(pieces[i], signal))
    end
  end)
  return ok and all, why
end

local function exit_code(all, summary)
  if next(all.broken) then
    return 3
  end
  return (summary.failed > 0 or summary.errors > 0) and 1 or 0
end

local function run_once(arguments)
  local began = trial.stopwatch()
  local pieces, why = files.pieces(arguments.files, arguments.folder, test_native.processors())
  if not pieces then
    screen.fail(why)
    return 5
  end
  local report = reports.new(arguments)
  local all
  all, why = run_pieces(pieces, arguments, report.on_result)
  if not all then
    screen.fail(why)
    return 1
  end
  for _, text in pairs(all.broken) do
    io.stderr:write(text)
  end
  local summary = reports.summary(all.results, trial.stopwatch() - began)
  report.finish(all.results, summary)
  if arguments.coverage then
    all.coverage:print(arguments.json)
  end
  if arguments.junit then
    local written
    written, why = reports.write_junit(arguments.junit, all.results, summary)
    if not written then
      screen.fail(why)
      return 1
    end
  end
  if summary.tests == 0 and arguments.only and not next(all.broken) then
    screen.fail(("no test has %q in its name"):format(arguments.only))
    return 5
  end
  return exit_code(all, summary)
end

local function stamp_of(names)
  local stamp = 0
  for _, name in ipairs(names) do
    stamp = stamp + test_native.stamp(name:find "%.lua$" and name:match "^(.*)/[^/]*$" or name)
  end
  return stamp
end

--- Runs again whenever a file has changed and nothing more changes; ended by Ctrl-C.
local function watch(arguments)
  local names = #arguments.files > 0 and arguments.files or { arguments.folder or "." }
  local before
  while true do
    local now = stamp_of(names)
    if now ~= before and now == stamp_of(names) then
      before = now
      run_once(arguments)
      io.flush()
      screen.hint "watching: save a file, or end with Ctrl-C"
    end
    native.pause(WATCH_MS)
  end
end

function M.run(arguments)
  if arguments.watch then
    return watch(arguments)
  end
  return run_once(arguments)
end

return M
