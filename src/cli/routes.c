// cronista routes, cronista openapi: what the server answers to, for people and for programs. Neither needs a database: the
// description is that of the modules as they are built in; a running server describes its own at /api/openapi.json.
#include <stdio.h>
#include "cli/cli.h"
#include "web/web.h"

static int print(struct buf *b) {
    size_t wrote = fwrite(b->p, 1, b->n, stdout);
    bool fine = wrote == b->n && fflush(stdout) == 0;
    buf_release(b);
    return fine ? CLI_OK : CLI_FAILED;
}

int cli_routes(int argc, char **argv) {
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct buf b = BUF_INIT(1 << 20);
    web_routes_print(&b);
    return print(&b);
}

int cli_openapi(int argc, char **argv) {
    int left = cli_nothing_left(argc, argv);
    if (left)
        return left;
    struct error e = {0};
    struct model *model;
    struct arena arena = ARENA_INIT;
    const struct str *texts;
    size_t n = model_builtin(&arena, &texts);
    enum status s = model_build(&model, texts, n, NULL, 0, &e);
    arena_release(&arena);
    if (s)
        return cli_failed(&e);
    struct buf b = BUF_INIT(64 << 20);
    web_openapi(model, &b);
    buf_char(&b, '\n');
    model_free(model);
    return print(&b);
}
