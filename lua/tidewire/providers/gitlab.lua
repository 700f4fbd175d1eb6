--- GitLab webhooks: the classic token, or a signing token (Standard Webhooks). Source: providers.md, rows GitLab. With both
-- options both are demanded: which of them holds is never the request's choice.
local check = require "tidewire.loader.check"
local standard = require "tidewire.providers.standard"

return {
  options = { secret = false, signing_secret = false, max_age = false },
  one_of = { "secret", "signing_secret" },
  verify = function(options)
    local token = options.secret and { scheme = "token", header = "x-gitlab-token" }
    local signed = options.signing_secret and check.with_defaults({ secret = "signing_secret" }, standard.verify)
    return signed or token, signed and token or nil
  end,
  type = { "body.object_kind", "body.event_name" }, -- the second: system hooks
  -- the first is signed and has the same value; not x-gitlab-event-uuid, which hooks that set off each other share
  id = { "headers.webhook-id", "headers.idempotency-key" },
  max_body = "25MiB",
  types = {
    "access_token", "build", "deployment", "emoji", "feature_flag", "issue", "member", "merge_request", "milestone", "note",
    "pipeline", "project", "push", "release", "repository_update", "subgroup", "tag_push", "vulnerability", "wiki_page",
    "work_item",
  },
}
