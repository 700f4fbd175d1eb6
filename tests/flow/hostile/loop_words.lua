-- class: loop · expect: cpu
route "/hostile" {
  verify = verify.none "test",
  retry = { attempts = 1 },
  handle = function()
    while true do
      local s = json.encode(json.decode '[1,{"a":[]}]')
      local _ = crypto.hash("sha256", s) .. base64.encode(s) .. text.trim(s) .. uuid.v4()
    end
  end,
}
