"""Files as models write them, in six languages, worded by us: about 300 lines each, no two of them the same.

They open files, ask databases and answer clients as such code does, so that rules have something to ask about; one in
ten does it in a way that a rule finds.
"""

from __future__ import annotations

import random
from typing import Final

from bench.calls import BODY, MODULES, NAMES, PACKAGES

PYTHON = '''
@app.get("/{m}/<int:number>")
def show_{f}_{n}(number):
    """Answer with one {f} of {m}."""
    row = db.execute("SELECT id, name, total FROM {m} WHERE id = ?", (number,)).fetchone()
    if row is None:
        abort(404)
    return jsonify({{"id": row["id"], "name": row["name"], "total": row["total"]}})


def export_{f}_{n}(rows, name):
    target = EXPORTS / f"{{name}}-{n}.csv"
    with open(target, "w", newline="") as file:
        writer = csv.writer(file)
        for row in rows:
            writer.writerow([row.id, row.name, row.total])
    return target


def build_{f}_{n}(branch):
    done = subprocess.run(["git", "checkout", branch], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        log.warning("no branch %s: %s", branch, done.stderr.strip())
    return done.stdout
'''

JAVASCRIPT = """
router.get('/{m}/:id', requireUser, async (req, res, next) => {{
  try {{
    const {{ id }} = req.params;
    const found = await db.query('SELECT id, name, total FROM {m} WHERE id = $1', [id]);
    if (found.rows.length === 0) {{
      return res.status(404).json({{ error: 'no such {f}' }});
    }}
    return res.json(found.rows[0]);
  }} catch (error) {{
    return next(error);
  }}
}});

export function merge{f}{n}(base, extra) {{
  const out = {{ ...base }};
  for (const [key, value] of Object.entries(extra)) {{
    if (typeof value === 'number' && key !== 'total') {{
      out[key] = (out[key] ?? 0) + value;
    }}
  }}
  return out;
}}

async function save{f}{n}(name, rows) {{
  const file = path.join(EXPORTS, `${{name}}-{n}.json`);
  await fs.promises.writeFile(file, JSON.stringify(rows, null, 2));
  const match = /^([a-z]+)-(\\d+)$/.exec(name);
  return {{ file, kind: match ? match[1] : 'other' }};
}}
"""

GO = """
// Show{f}{n} answers with one {f} of {m}.
func (s *Server) Show{f}{n}(w http.ResponseWriter, r *http.Request) {{
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {{
		http.Error(w, "no such {f}", http.StatusNotFound)
		return
	}}
	row := s.db.QueryRowContext(r.Context(), "SELECT id, name FROM {m} WHERE id = $1", id)
	var one {m}Row
	if err := row.Scan(&one.ID, &one.Name); err != nil {{
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(one)
}}

func export{f}{n}(dir string, rows []{m}Row) error {{
	file, err := os.OpenFile(filepath.Join(dir, "{f}-{n}.csv"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {{
		return fmt.Errorf("export {f}: %w", err)
	}}
	defer file.Close()
	for _, row := range rows {{
		fmt.Fprintf(file, "%d,%s\\n", row.ID, row.Name)
	}}
	return nil
}}
"""

JAVA = """
    /** Finds one {f} of {m}. */
    public Optional<Row> find{f}{n}(long id) throws SQLException {{
        try (PreparedStatement statement = connection.prepareStatement("SELECT id, name FROM {m} WHERE id = ?")) {{
            statement.setLong(1, id);
            ResultSet rows = statement.executeQuery();
            if (!rows.next()) {{
                return Optional.empty();
            }}
            return Optional.of(new Row(rows.getLong("id"), rows.getString("name")));
        }}
    }}

    public Path export{f}{n}(List<Row> rows, String name) throws IOException {{
        Path target = exports.resolve(name + "-{n}.csv");
        try (BufferedWriter writer = Files.newBufferedWriter(target)) {{
            for (Row row : rows) {{
                writer.write(row.id() + "," + row.name());
                writer.newLine();
            }}
        }}
        logger.info("wrote {{}} rows of {f}", rows.size());
        return target;
    }}
"""

C = """
/* Reads {f}s of {m} from a file, at most `most` of them. */
int read_{f}_{n}(const char *path, struct {m} *out, size_t most)
{{
    char line[256];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return -1;
    while (count < most && fgets(line, sizeof line, file) != NULL) {{
        struct {m} *one = &out[count];
        if (sscanf(line, "%d,%63s", &one->id, one->name) == 2)
            count++;
    }}
    fclose(file);
    return (int)count;
}}

char *join_{f}_{n}(const char *first, const char *second)
{{
    size_t size = strlen(first) + strlen(second) + {n};
    char *whole = malloc(size);
    if (whole == NULL)
        return NULL;
    snprintf(whole, size, "%s/%s", first, second);
    return whole;
}}
"""

YAML = """
  {f}-{n}:
    runs-on: ubuntu-latest
    timeout-minutes: {n}
    permissions:
      contents: read
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
          cache: pip
      - name: Install {m}
        run: |
          python -m pip install --require-hashes -r requirements/{m}.txt
          python -m pip check
      - name: Test {f}
        env:
          LEVEL: ${{{{ matrix.level }}}}
        run: python -m pytest tests/{m} -k "{f}" --maxfail={n}
"""

UNSAFE: Final = {
    "Python": "def find_{f}(name):\n    return db.execute(f\"SELECT * FROM {m} WHERE name = '{{name}}'\")\n",
    "JavaScript": "export const find = (name) => db.query(`SELECT * FROM {m} WHERE name = '${{name}}'`);\n",
    "Go": 'func sum(text string) string {{ return fmt.Sprintf("%x", md5.Sum([]byte(text))) }} // {m}\n',
    "Java": '    static Random dice() throws Exception {{ return new Random(exec("{m}").pid()); }}\n',
    "C": "void name_{f}(char *out, const char *name) {{ char part[8]; strcpy(part, name); strcpy(out, part); }}\n",
    "YAML": "  {f}-title:\n    runs-on: x\n    steps:\n      - run: echo ${{{{ github.event.issue.title }}}}\n",
}

_HEADS: Final = {
    "Python": BODY,
    "JavaScript": "import path from 'node:path';\nimport {{ db, router, requireUser }} from './{m}.js';\n",
    "Go": 'package {m}\n\nimport (\n\t"database/sql"\n\t"encoding/json"\n\t"fmt"\n\t"net/http"\n\t"os"\n)\n',
    "Java": "package example.{m};\n\nimport java.sql.*;\nimport java.util.*;\n\nclass Store {{\n",
    "C": "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n\nstruct {m} {{ int id; char name[64]; }};\n",
    "YAML": "name: {m}\non: [push]\npermissions: read-all\njobs:\n",
}
_BODIES: Final = {"Python": PYTHON, "JavaScript": JAVASCRIPT, "Go": GO, "Java": JAVA, "C": C, "YAML": YAML}
_ENDS: Final = {"Java": "}\n"}

FILES: Final = {
    "Python": "src/{m}/{f}_{n}.py",
    "JavaScript": "web/{m}/{f}{n}.js",
    "Go": "{m}/{f}_{n}.go",
    "Java": "src/main/java/example/{m}/Store{n}.java",
    "C": "src/{m}_{f}_{n}.c",
    "YAML": ".github/workflows/{m}-{n}.yml",
}
"""A file's name, by language."""


def files(language: str, count: int, lines: int = 300) -> list[tuple[str, str]]:
    """Return the names and texts of ``count`` files of about so many lines."""
    dice = random.Random(language)
    out = []
    for at in range(count):
        words = {"m": dice.choice(MODULES), "f": dice.choice(NAMES)}
        text = _HEADS[language].format(**words, n=at)
        number = 100 * at
        while text.count("\n") < lines - 20:
            number += 1
            text += _BODIES[language].format(m=dice.choice(MODULES), f=dice.choice(NAMES), n=number)
        if at % 10 == 9:
            text += UNSAFE[language].format(**words)
        out.append((FILES[language].format(**words, n=at), text + _ENDS.get(language, "")))
    return out


def manifests(count: int, packages: int = 60) -> list[str]:
    """Return ``count`` lists of so many packages for pip, one in four of them of a name that nobody knows."""
    dice = random.Random(7)
    out = []
    for at in range(count):
        known = [dice.choice(PACKAGES) for _ in range(packages)]
        names = [name if place % 4 else f"{dice.choice(MODULES)}-{dice.choice(NAMES)}-{at}-{place}"
                 for place, name in enumerate(known)]  # fmt: skip
        out.append("".join(f"{name}=={place}.{at}\n" for place, name in enumerate(names)))
    return out
