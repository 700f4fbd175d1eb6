-- class: cfunction · expect: cpu memory
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    local long = ("Grüße, Welt! "):rep(1e5)
    while true do local _ = text.slug(long) .. text.truncate(long, 1e5) .. text.trim(long) .. text.first_line(long) end
  end,
}
