--- Vercel. Source: providers.md, row "Also cheap to add"; it has SHA-1 only.
return {
  verify = { header = "X-Vercel-Signature", algorithm = "sha1" },
  type = "body.type",
  id = "body.id",
  remember_signature = true, -- no time is signed
}
