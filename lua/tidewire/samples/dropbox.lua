--- Samples of dropbox, in the shape of its documented payloads (tidewire.samples).
return {
  one_account = [[{"list_folder":{"accounts":["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc"]},"delta":{"users":[12345678]}}]],
  two_accounts = [[{"list_folder":{"accounts":["dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc",]]
    .. [["dbid:AAHtJ2Qv0taONIb-OurWxbNQ6ywGRopQngc"]},"delta":{"users":[12345678,23456789]}}]],
  business = [[{"list_folder":{"accounts":["dbid:AAHa33T0taONIb-OurWxbNQ6ywGRopQngc"]},"delta":{"users":[]}}]],
}
