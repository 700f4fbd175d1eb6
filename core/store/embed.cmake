# Writes OUT: the text of IN as a C array.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
file(WRITE ${OUT} "#include \"store/sqlite.h\"\nconst char schema_sql[] = {${bytes}0};\n")
