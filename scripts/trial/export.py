"""Part of try-bitbake: what oe-core's export has written is what its import has read."""
from trial import *
rows = dict((row, value) for row, value in rows_for(read("list.log")).items() if row[0] != trial_source())
most = exported(rows)
text, mark, end = read("export.inc").partition("#PR_core_ver")
lines = text.splitlines()
check("every imported row that is the greatest of its version and pkgarch came out, no other, none twice",
      sorted(line for line in lines if "$" in line),
      sorted('PRAUTO$%s = "%d"' % ("$".join(row), value) for row, value in rows.items() if value == most[row[:2]]))
check("one PRAUTO_<version>_<pkgarch> line for each of them",
      sorted(line for line in lines if "$" not in line),
      sorted('PRAUTO_%s_%s = "%d"' % (key + (value,)) for key, value in most.items()))
check("then the column information and PRSERV_LOCKDOWN", mark + end,
      '#PR_core_ver = "%s"\n\n#Table: %s\n#Columns:\n#name      \t type    \t notn    \t dflt    \t pk\n'
      "#----------\t --------\t --------\t --------\t ----\n" % (core_version(), TABLE) +
      "".join("#%10s\t %8s\t %8s\t %8s\t %4s\n" % column for column in COLUMNS) + '\nPRSERV_LOCKDOWN = "1"\n\n')
