--- tidewire replay: run the rules of now again for events of the past.
-- @module tidewire.cli.replay
local json = require "tidewire.cli.json"
local native = require "tidewire.native"
local router = require "tidewire.cli.router"
local screen = require "tidewire.cli.screen"

local M = { summary = "run the rules again: replay EVENT…, or --route R --state dead" }

local PAGE = 500

function M.describe(command)
  command:argument("events", "ids"):args "*"
  command:option("--route", "events of this route"):argname "ROUTE"
  command:option("--state", "dead (default), waiting, dropped or done"):argname "STATE"
    :choices { "waiting", "done", "dropped", "dead" }
  command:option("--limit", "at most so many"):argname "N":convert(tonumber)
  command:flag("-n --dry-run", "only say how many there are")
  command:flag("-y --yes", "do not ask")
end

local function escape(text)
  return (text:gsub("[^%w%-._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

--- What the filter finds, without what was replayed already. @treturn table|nil  ids; nil and why
local function find(arguments)
  local ids, cursor = {}, nil
  local limit = arguments.limit or math.huge
  repeat
    local path = ("/v1/events?limit=%d&state=%s"):format(PAGE, arguments.state or "dead")
      .. (arguments.route and "&route=" .. escape(arguments.route) or "") .. (cursor and "&cursor=" .. cursor or "")
    local answer = router.call(arguments, "GET", path)
    if not answer then return nil end
    local page = json.decode(answer.body)
    if answer.status ~= 200 then return nil, page.detail end
    for _, event in ipairs(page.items) do
      if event.replayed_as == json.null and #ids < limit then
        ids[#ids + 1] = event.id
      end
    end
    cursor = page.next_cursor ~= json.null and page.next_cursor or nil
  until not cursor or #ids >= limit
  return ids
end

local function may_go_on(arguments, count)
  if arguments.yes or not (native.isatty(0) and native.isatty(1)) then
    return true
  end
  io.write(("%d %s event%s%s. Run the rules again on all of them? [y/N] "):format(count, arguments.state or "dead",
    count == 1 and "" or "s", arguments.route and " of " .. arguments.route or ""))
  io.flush()
  return (io.read "*l" or ""):lower() == "y"
end

--- @treturn number  queued
-- @treturn table  { id, why } of those that were not
local function replay_all(arguments, ids)
  local queued, refused = 0, {}
  for _, id in ipairs(ids) do
    local answer = router.call(arguments, "POST", "/v1/events/" .. escape(id) .. ":replay")
    local said = answer and json.decode(answer.body)
    if answer and (answer.status == 200 or answer.status == 202) then
      queued = queued + 1
      if arguments.json then
        print(answer.body)
      elseif #ids <= 20 then
        print(said.woken and id .. "  runs now" or ("%s  replayed as %s"):format(id, said.id))
      end
    else
      refused[#refused + 1] = { id, answer and said.detail or "the router does not answer", answer and answer.status }
    end
  end
  return queued, refused
end

local function report(arguments, ids, queued, refused)
  for _, one in ipairs(refused) do
    screen.fail(("%s: %s"):format(one[1], one[2]))
  end
  if not arguments.json and #ids > 20 then
    print(("%d queued"):format(queued))
  end
  if #refused == 0 then
    return 0
  elseif queued > 0 then
    return 7
  end
  return refused[1][3] == 404 and 5 or 1
end

function M.run(arguments)
  local ids, bulk = arguments.events, #arguments.events == 0
  if bulk and not (arguments.route or arguments.state) then
    screen.fail("replay wants event ids, or --route ROUTE, or --state dead")
    return 2
  end
  if bulk then
    local why
    ids, why = find(arguments)
    if not ids then
      screen.fail(why or router.absent(arguments))
      return why and 1 or 4
    end
  elseif not router.call(arguments, "GET", "/healthz") then
    screen.fail(router.absent(arguments))
    return 4
  end
  if bulk and (arguments.dry_run or #ids == 0) then
    print(("%d event%s"):format(#ids, #ids == 1 and "" or "s"))
    return 0
  end
  if bulk and not may_go_on(arguments, #ids) then
    screen.fail "nothing was replayed"
    return 1
  end
  local queued, refused = replay_all(arguments, ids)
  return report(arguments, ids, queued, refused)
end

return M
