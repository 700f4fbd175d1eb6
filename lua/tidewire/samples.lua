--- Sample events that `tidewire send` signs and sends. Written by us in the shape of the providers' documented payloads.
-- @module tidewire.samples
local M = {}

local repository = [["repository":{"id":186853002,"name":"hello","full_name":"acme/hello","private":false,]]
  .. [["html_url":"https://github.example.com/acme/hello","default_branch":"main","owner":{"login":"acme","id":21031067}}]]
local sender = [["sender":{"login":"ann","id":21031068,"type":"User"}]]

--- By provider, then by event type; `type` of GitHub goes into a header.
M.by_provider = {
  github = {
    push = [[{"ref":"refs/heads/main","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246",]]
      .. [["after":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","created":false,"deleted":false,"forced":false,]]
      .. repository .. [[,"pusher":{"name":"ann","email":"ann@example.com"},]] .. sender
      .. [[,"commits":[{"id":"0d1a26e67d8f5eaf1f6ba5c57fc3c7d91ac0fd1c","message":"Say hello\n\nTo everybody.",]]
      .. [["timestamp":"2026-11-20T10:14:02+01:00","author":{"name":"Ann","email":"ann@example.com"},]]
      .. [["added":["hello.txt"],"removed":[],"modified":[]}],"head_commit":null}]],
    ping = [[{"zen":"Keep it small.","hook_id":109948940,"hook":{"type":"Repository","id":109948940,"events":["push"]},]]
      .. repository .. "," .. sender .. "}",
    star = [[{"action":"created","starred_at":"2026-11-20T09:14:02Z",]] .. repository .. "," .. sender .. "}",
    issues = [[{"action":"opened","issue":{"number":1,"title":"Spelling of hello","state":"open","labels":[],"body":null,]]
      .. [["user":{"login":"ann","id":21031068}},]] .. repository .. "," .. sender .. "}",
    pull_request = [[{"action":"opened","number":2,"pull_request":{"number":2,"title":"Say it louder","state":"open",]]
      .. [["draft":false,"merged":false,"user":{"login":"ann","id":21031068}},]] .. repository .. "," .. sender .. "}",
  },
  standard = {
    ["invoice.paid"] = [[{"type":"invoice.paid","timestamp":"2026-11-20T09:14:02Z",]]
      .. [["data":{"id":"in_1","customer":"cus_1","email":"ann@example.com","amount":1990,"currency":"eur"}}]],
    ["invoice.payment_failed"] = [[{"type":"invoice.payment_failed","timestamp":"2026-11-20T09:14:02Z",]]
      .. [["data":{"id":"in_2","customer":"cus_1","email":"ann@example.com","amount":1990,"currency":"eur"}}]],
    ["customer.created"] = [[{"type":"customer.created","timestamp":"2026-11-20T09:14:02Z",]]
      .. [["data":{"id":"cus_1","email":"ann@example.com"}}]],
  },
  -- for routes with a `verify` of their own; the id is fresh each time
  generic = {
    ["customer.created"] = [[{"id":"%ID%","type":"customer.created","amount":0,"customer":{"id":"cus_1"}}]],
    ["invoice.paid"] = [[{"id":"%ID%","type":"invoice.paid","amount":1990,"customer":{"id":"cus_1"}}]],
    ["invoice.large"] = [[{"id":"%ID%","type":"invoice.large","amount":20000,"customer":{"id":"cus_1"}}]],
    ["page.view"] = [[{"id":"%ID%","type":"page.view","amount":0,"page":"/hello"}]],
  },
}

--- The samples of a route: of its provider, else the generic ones.
-- @tparam string provider  "" for none
function M.of(provider)
  return M.by_provider[provider] or M.by_provider.generic
end

--- Sorted names.
function M.names(samples)
  local names = {}
  for name in pairs(samples) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

return M
