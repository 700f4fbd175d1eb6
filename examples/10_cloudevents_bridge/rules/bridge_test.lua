test "a CloudEvent in structured mode goes on" (function()
  local run = feed("/cloudevents", { content_type = "application/cloudevents+json", json = {
    specversion = "1.0", id = "1", source = "urn:shop", type = "order.created", time = "2026-11-20T10:00:00Z", data = { n = 7 },
  } })

  expect(run.state):is "done"
  expect(run.sent[1].json):like { type = "order.created", data = { n = 7 } }
end)

test "internal ones stay inside" (function()
  local run = feed("/cloudevents", { content_type = "application/cloudevents+json", json = {
    specversion = "1.0", id = "1", source = "urn:shop", type = "internal.tick", data = {},
  } })
  expect(run.state):is "ignored"
end)

test "a push in GitLab becomes a CloudEvent" (function()
  local run = feed("/gitlab", sample.gitlab.push { body = { project = { web_url = "https://gitlab.example.com/a/b" } } })

  expect(run.sent[1].json):like { specversion = "1.0", type = "com.gitlab.push", source = "https://gitlab.example.com/a/b" }
end)
