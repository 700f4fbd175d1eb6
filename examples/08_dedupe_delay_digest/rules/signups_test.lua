local function sign_up(user, team)
  return feed("/signup", { json = { user = user, team = team, email = user .. "@example.com" } })
end

test "the signups of an hour are one message for each team" (function()
  sign_up("ann", "red")
  sign_up("bob", "red")
  sign_up("eve", "blue")
  expect(sent "chat"):has(0)

  clock.pass "1h"
  local said = map(sent "chat", function(message) return message.json.text end)
  expect(said):has(2)
  expect(said):contains "2 new signups: ann@example.com, bob@example.com"
  expect(said):contains "1 new signup: eve@example.com"
end)

test "who has not come back after two days is named, once" (function()
  sign_up("ann", "red")
  clock.pass "47h"
  expect(sent "chat"):has(1)
  clock.pass "2h"
  expect(sent "chat"):has(2)
  expect(sent "chat"[2].json.text):is "ann@example.com has not come back yet."
end)

test "who has come back is not" (function()
  sign_up("ann", "red")
  clock.pass "1d"
  feed("/login", { json = { user = "ann" } })
  clock.pass "2d"
  expect(sent "chat"):has(1)
end)

test "a signup that comes again within a week is the same one" (function()
  sign_up("ann", "red")
  clock.pass "6d"
  expect(sign_up("ann", "red").state):is "duplicate"
end)
