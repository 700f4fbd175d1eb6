local function alert(status, severity, name)
  return { status = status, fingerprint = "f-" .. name, labels = { severity = severity, alertname = name, instance = "db1" },
    annotations = {} }
end

test "a critical alert opens an incident, and its end resolves it" (function()
  feed("/alertmanager", { json = { alerts = { alert("firing", "critical", "DiskFull") } } })
  feed("/alertmanager", { json = { alerts = { alert("resolved", "critical", "DiskFull") } } })

  expect(sent "pagerduty"):has(2)
  expect(sent "pagerduty"[1].json):like { event_action = "trigger", dedup_key = "f-DiskFull",
    payload = { source = "db1", severity = "critical", summary = "DiskFull" } }
  expect(sent "pagerduty"[2].json.event_action):is "resolve"
end)

test "each of the others is a line in the chat" (function()
  local run = feed("/alertmanager", { json = { alerts = { alert("firing", "warning", "Slow"), alert("resolved", "info", "Old") } } })

  expect(run.sent):has(2)
  expect(run.sent[1].json.text):contains "Slow"
  expect(sent "pagerduty"):has(0)
end)

test "without the token nobody gets in" (function()
  local run = feed("/alertmanager", { json = { alerts = {} }, sign_with = "not the token" })
  expect(run.status):is(401)
end)
