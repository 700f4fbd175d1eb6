-- What handlers asked other servers (http.*), try by try: a run of model/fetch.h records.
CREATE TABLE lookup (
  event  INTEGER NOT NULL,
  n      INTEGER NOT NULL, -- of the try, from 1
  record BLOB NOT NULL,
  PRIMARY KEY (event, n)
) WITHOUT ROWID;
