test "a push to main posts one message" (function()
  local run = feed("/github", sample.github.push { body = { ref = "refs/heads/main" } })

  expect(run.state):is "done"
  expect(run.sent):has(1)
  expect(run.sent[1].target):is "slack-dev"
  expect(run.sent[1].json.text):contains "1 commit"
end)

test "other branches are ignored, and the sender still gets its 202" (function()
  local run = feed("/github", sample.github.push { body = { ref = "refs/heads/wip" } })

  expect(run.state):is "ignored"
  expect(run.status):is(202)
end)

test "a wrong signature is refused" (function()
  local run = feed("/github", sample.github.push { sign_with = "not the secret" })

  expect(run.status):is(401)
  expect(run.state):is "refused"
end)

test "while Slack is away the message waits, and then arrives" (function()
  mock.target("slack-dev", { 503, { error = "timeout" }, 200 })
  local run = feed("/github", sample.github.push)
  expect(run.deliveries[1]):like { state = "waiting", reason = "answered 503" }

  clock.pass "1h"
  expect(run.deliveries[1]):like { state = "delivered", attempts = 3 }
  expect(sent "slack-dev"):has(1)
end)
