--- Libraries, and what is Lua's own. See tidewire.reference.
-- @module tidewire.reference.libraries
return {
  {
    name = "values", kind = "words", text = "For tables and views alike; what is given stays as it is.",
    entries = {
      { "get", "(v: any, path: string, default?: any): any", "Looks along a path and never fails on a missing step." },
      { "set", "(v: table, path: string, x: any): table", "A changed value." },
      { "merge", "(v: table, changes: table): table", "Objects at every depth; arrays and scalars are replaced." },
      { "pick", "(v: table, paths: string | string[]): table", "Only what these paths lead to." },
      { "omit", "(v: table, paths: string | string[]): table", "All but that." },
      { "copy", "(v: any): any", "A plain table to change freely." },
      { "map", "(list: table, f: fun(item: any, i: integer): any): table", "An array of what f gives." },
      { "filter", "(list: table, keeps: fun(item: any, i: integer): any): table", "An array of the items that f wants." },
    },
  },
  {
    name = "json", kind = "library", text = "JSON (RFC 8259).",
    entries = {
      { "encode", "(v: any): string", "Keys sorted; views as they came." },
      { "decode", "(text: string): any", "A view." },
      { "null", "any", "Writes null." },
      { "array", "(list: table): table", "Marks a table as an array, also an empty one." },
    },
  },
  {
    name = "text", kind = "library", text = "Texts; lengths count characters.",
    entries = {
      { "trim", "(s: string): string", "Without white space at both ends." },
      { "split", "(s: string, separator: string): string[]", "The parts between separators, empty ones too." },
      { "starts", "(s: string, beginning: string): boolean", "" },
      { "ends", "(s: string, ending: string): boolean", "" },
      { "first_line", "(s: string): string", "Up to the first line end." },
      { "plural", "(n: number, one: string, many?: string): string", "\"1 commit\", \"3 commits\"." },
      { "join", "(list: table, separator?: string, path?: string): string", "The items as one text; path picks from each." },
      { "truncate", "(s: string, n: integer, mark?: string): string", "At most n characters; what is cut ends with \"…\"." },
      { "slug", "(s: string): string", "Lower case letters and digits with '-' between." },
      { "choose", "(s: string?, entries: table): any",
        "The entry for s, else that of the pattern with the longest fixed beginning." },
      { "fill", "(s: string, values: table, form?: \"json\" | \"html\"): string",
        "`{name}` filled in, escaped for where it goes." },
    },
  },
  {
    name = "time", kind = "library", text = "Times are numbers: seconds since 1970 with a fraction.",
    entries = {
      { "now", "(): number", "" },
      { "iso", "(time: number): string", "\"2025-11-20T09:14:02Z\"." },
      { "parse", "(text: string): number?, string?", "RFC 3339 or an HTTP date; nil and why." },
      { "format", "(time: number, pattern: string, zone?: string): string", "As strftime." },
      { "add", "(time: number, duration: string): number", "\"-2d\" for earlier." },
      { "diff", "(a: number, b: number): number", "a - b in seconds." },
    },
  },
  {
    name = "url", kind = "library", text = "Addresses (RFC 3986).",
    entries = {
      { "parse", "(url: string): table?", "{ scheme, user, host, port, path, query, fragment }." },
      { "build", "(parts: table): string", "The other way round." },
      { "join", "(base: string, ...: string | number): string", "Each part escaped; `.` and `..` are refused." },
      { "escape", "(value: string | number): string", "" },
      { "query", "(value: table | string): string | table", "A table to \"a=1&b=2\", and back." },
    },
  },
  {
    name = "base64", kind = "library", text = "RFC 4648.",
    entries = {
      { "encode", "(bytes: string): string", "" },
      { "decode", "(text: string): string", "" },
      { "url_encode", "(bytes: string): string", "For addresses, without padding." },
      { "url_decode", "(text: string): string", "" },
    },
  },
  {
    name = "hex", kind = "library", text = "Two digits for a byte.",
    entries = {
      { "encode", "(bytes: string): string", "" },
      { "decode", "(text: string): string", "" },
    },
  },
  {
    name = "crypto", kind = "library", text = "Keys are text or secrets; encodings \"hex\", \"base64\", \"raw\".",
    entries = {
      { "hmac", "(algorithm: string, key: string | Secret, data: string, encoding?: string): string",
        "\"sha256\", \"sha512\", \"sha1\"." },
      { "hash", "(algorithm: string, data: string, encoding?: string): string", "" },
      { "equal", "(a: string | Secret, b: string | Secret): boolean", "In a time that says nothing of where they differ." },
      { "random", "(n: integer): string", "So many bytes." },
      { "sign", "(algorithm: string, key: string | Secret, data: string, encoding?: string): string",
        "\"ed25519\", \"rsa-sha256\", \"rsa-pss-sha256\", \"ecdsa-sha256\" …, with a private key in PEM." },
      { "verify", "(algorithm: string, key: string | Secret, data: string, signature: string): boolean",
        "With a public key or certificate in PEM." },
    },
  },
  {
    name = "form", kind = "library", text = "Forms as browsers send them.",
    entries = {
      { "decode", "(text: string): table<string, string>", "Names and first values." },
      { "encode", "(fields: table): string", "Sorted by name; a list is the name several times." },
      { "all", "(form: Event | string, name: string): table", "Every value of one name." },
    },
  },
  {
    name = "xml", kind = "library",
        text = "A node is { name = …, attr = { … }, … children }; written, the name may stand first.",
    entries = {
      { "decode", "(text: string): table", "" },
      { "encode", "(node: table): string", "" },
      { "all", "(node: table?, name: string): table", "The children of that name." },
      { "first", "(node: table?, name: string): table?", "The first child of that name." },
      { "text", "(node: table?, name?: string): string?", "All text inside it, or inside the first child of that name." },
    },
  },
  {
    name = "uuid", kind = "library", text = "RFC 9562.",
    entries = { { "v4", "(): string", "By chance." }, { "v7", "(): string", "Sortable by time." } },
  },
  {
    name = "csv", kind = "library", text = "RFC 4180; options are `separator` and `header`.",
    entries = {
      { "parse", "(text: string, options?: table): table", "A list of lists; with `header = true` of tables." },
      { "encode", "(rows: table, options?: table): string", "Lists; with `header = { \"a\", … }` tables." },
    },
  },
  {
    name = "ip", kind = "library", text = "Addresses and their ranges.",
    entries = { { "in_range", "(address: string?, ranges: string | string[]): boolean",
        "\"10.0.0.0/8\", \"2001:db8::/32\" or one address." } },
  },
  {
    name = "lua", kind = "lua", text = "Lua's own.",
    entries = {
      { "string" }, { "table" }, { "math" }, { "bit" }, { "assert" }, { "error" }, { "getmetatable" }, { "ipairs" }, { "next" },
      { "pairs" }, { "pcall" }, { "select" }, { "setmetatable" }, { "tonumber" }, { "tostring" }, { "type" }, { "unpack" },
      { "xpcall" },
    },
  },
}
