std = "luajit"
max_line_length = 130
exclude_files = { "build/**", "rules/**", "examples/**", "tests/node_modules/**" }
