"""Interpreters, compilers and test runners: programs whose inner effects their arguments do not tell."""

from __future__ import annotations

from outrider.effects.commands.spec import spec

_RUNS = "runs code of the project"

TABLE = (
    spec("python python3 python2 pypy pypy3 ipython python3.8 python3.9 python3.10 python3.11 python3.12 python3.13 "
         "python3.14", "text*", "-c=text -m=text -W,-X=text", style="posix", special="python"),
    spec("node nodejs deno tsx ts-node bun-run esno", "text*", "-e,--eval,-p,--print=code "
        "-r,--require,--import,--loader=preload "
         "--env-file=read -C,--max-old-space-size,--title=text", style="posix", special="interpreter"),
    spec("ruby irb jruby", "text*", "-e=code -r=preload -I,-C,-x=text -c,-v=:list", style="posix",
        special="interpreter"),
    spec("perl", "text*", "-e,-E=code -M,-m=text -I=text -p,-n,-l,-a=:keep -i=:edit -c,-v=:list", style="posix",
         special="perl"),
    spec("php php-cgi php8", "text*", "-r,-B,-R,-E=code -f,-F=script -d=php-ini -c=read -S,-t=text -z=library "
         "-l,-v,-i,-m=:list", style="posix",
        special="interpreter"),
    spec("lua luajit R Rscript julia octave ghci runghc elixir iex scala groovy tclsh wish guile racket "
        "sbcl clojure "
         "osascript raku nim dart "
         "gnuplot scilab scilab-cli maxima gst sage bsh jython luau",
         "text*", "-e,--eval,-E,-c,--batch-string=code", style="posix", special="interpreter"),
    spec("swipl", "text*", "-g,-t=code -f,-s,-l,-x=script -o=write", style="posix", special="interpreter"),
    spec("java", "text*", "-jar=script -cp,-classpath,--class-path,-m,--module=text -version,--version=:list",
         style="long", opaque=_RUNS),
    spec("javac kotlinc scalac", "at-list*", "-d=write -cp,-classpath,-source,-target,-encoding=text", style="long"),
    spec("gcc g++ cc c++ c89 c99 clang clang++ tcc icc nvcc gfortran as ld", "read*", "-o,-MF=write "
        "-I,-L,-l,-D,-U,-std,-x,-f,-m,"
         "-W,-include,-isystem,-T,-z,-MT,-MQ,-arch,-target,-march=text", special="compiler"),
    spec("pytest py.test nosetests nose2 unittest trial behave robot", "text*", opaque=_RUNS),
    spec("coverage", "text*", opaque=_RUNS),
    spec("ruff black isort autopep8 yapf docformatter prettier gofmt goimports rubocop shfmt stylua eslint biome "
         "standard terser pyupgrade", "text*", "-w,--write,--fix,-i,--in-place=:edit "
         "-c,--config,-l,--line-length,--select,--ignore=text "
         "--check,--diff,-d=:dry", special="formatter"),
    spec("mypy pyright flake8 pylint bandit pyflakes pydocstyle tsc vulture semgrep shellcheck hadolint yamllint "
         "markdownlint golangci-lint staticcheck basedpyright ty lint-imports sqlfluff pip-audit safety trivy gitleaks "
         "cloc tokei scc radon", "list*", "-c,--config,--config-file,-p,--project,--max-line-length,--select,--ignore,"
         "--extend-ignore,-f,--format,-r,-l,--severity,--python-version,--target,--module,"
         "--python-executable=text -o,--output,--outDir=write",
         default="tree"),
    spec("jest vitest mocha ava playwright cypress karma webpack vite rollup esbuild parcel next nuxt astro turbo nx "
         "gulp grunt pm2 rspec phpunit "
         "uvicorn gunicorn celery streamlit jupyter jupyter-lab notebook ipykernel airflow dbt hypercorn "
         "locust", "text*", opaque=_RUNS),
    spec("nodemon", "text*", "-x,--exec=shell -w,--watch,-e,--ext,-i,--ignore,-d,--delay,-C=text --config=read",
         opaque=_RUNS),
    spec("rebar3", "text*", "--eval=code --script=script", opaque=_RUNS),
    spec("mix", "text*", "-e,--eval=code -r,--require=text", special="migrations"),
    spec("rails rake-task artisan symfony flask django-admin alembic prisma sequelize sequelize-cli knex "
         "typeorm drizzle-kit mikro-orm flyway liquibase dbmate migrate sqlx diesel sea-orm-cli ecto doctrine phinx "
         "atlas manage.py hasura", "text*", special="migrations"),
    spec("virtualenv", "write*", "-p,--python,--prompt,--seeder=text"),
    spec("cython swig protoc buf flex bison yacc lex antlr4", "read*", "-o,--output,-d,--python_out,--out=write "
        "-I=text"),
    spec("objdump nm readelf ldd size addr2line c++filt otool elfedit", "at-list*", "-e,-j,-M,--start-address,"
        "--stop-address=text"),
    spec("strip objcopy patchelf install_name_tool", "edit*", "-o=write --set-rpath,--set-interpreter=text"),
    spec("ffmpeg ffprobe sox", "text*", "-i=read", style="long", special="converter"),
    spec("convert magick identify mogrify montage composite conjure", style="none", special="pictures"),
)  # fmt: skip
