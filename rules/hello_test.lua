test "a push becomes one short message" (function()
  local run = feed("/github", sample.github.push)

  expect(run.sent):has(1)
  expect(run.sent[1].json.text):is "ann pushed 1 commit to acme/hello"
end)

test "other events are ignored" (function()
  expect(feed("/github", sample.github.star).state):is "ignored"
end)

test "who does not know the secret is refused" (function()
  expect(feed("/github", sample.github.push { sign_with = "a guess" }).status):is(401)
end)
