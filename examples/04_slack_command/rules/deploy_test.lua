local function command(text)
  return { form = { command = "/deploy", text = text, user_id = "U7", response_url = "https://hooks.example.com/answer" } }
end

test "a place that is allowed is deployed" (function()
  local run = feed("/slack/deploy", command "staging ")

  expect(run.status):is(200)
  expect(run.response.json.text):contains "Deploying to staging"
  expect(run.sent[1].json):is { place = "staging", by = "U7", answer_to = "https://hooks.example.com/answer" }
end)

test "any other place gets help, and nothing is deployed" (function()
  local run = feed("/slack/deploy", command "the moon")

  expect(run.status):is(200)
  expect(run.response.json.text):contains "Say"
  expect(run.sent):has(0)
end)
