#include "formats/plural.h"

#define LEVELS 16
#define NONE PLURAL_NODES

enum what {
    NUMBER,
    COUNT,
    NOT,
    MULTIPLY,
    DIVIDE,
    REST,
    ADD,
    SUBTRACT,
    LESS,
    MORE,
    LESS_EQUAL,
    MORE_EQUAL,
    EQUAL,
    UNEQUAL,
    AND,
    OR,
    CHOICE
};

struct parser {
    struct str s;
    struct plural *out;
    int level;
};

// Operators of two sides from the loosest to the tightest; longer texts before their beginnings.
static const struct {
    const char *text;
    int tightness;
    enum what what;
} operators[] = {
    {"||", 1, OR},         {"&&", 2, AND},        {"==", 3, EQUAL},   {"!=", 3, UNEQUAL},
    {"<=", 4, LESS_EQUAL}, {">=", 4, MORE_EQUAL}, {"<", 4, LESS},     {">", 4, MORE},
    {"+", 5, ADD},         {"-", 5, SUBTRACT},    {"*", 6, MULTIPLY}, {"/", 6, DIVIDE},
    {"%", 6, REST},
};
#define TIGHTEST 6

static bool take(struct parser *p, const char *text) {
    p->s = str_trim(p->s);
    if (!str_starts(p->s, str_z(text)))
        return false;
    p->s.p += strlen(text);
    p->s.n -= strlen(text);
    return true;
}

static unsigned add(struct parser *p, enum what what, unsigned a, unsigned b, unsigned c) {
    if (p->out->n == PLURAL_NODES || a == NONE || b == NONE || c == NONE)
        return NONE;
    unsigned i = p->out->n++;
    p->out->nodes[i].what = (uint8_t)what;
    p->out->nodes[i].a = (uint8_t)a;
    p->out->nodes[i].b = (uint8_t)b;
    p->out->nodes[i].c = (uint8_t)c;
    return i;
}

static unsigned choice(struct parser *p);

static unsigned number(struct parser *p) {
    uint32_t v = 0;
    size_t digits = 0;
    while (p->s.n && *p->s.p >= '0' && *p->s.p <= '9' && digits < 9) {
        v = v * 10 + (uint32_t)(*p->s.p - '0');
        p->s.p++;
        p->s.n--;
        digits++;
    }
    if (!digits)
        return NONE;
    unsigned i = add(p, NUMBER, 0, 0, 0);
    if (i != NONE)
        p->out->nodes[i].number = v;
    return i;
}

static unsigned operand(struct parser *p) {
    unsigned nots = 0;
    while (!str_starts(str_trim(p->s), STR("!=")) && take(p, "!"))
        nots++;
    unsigned v;
    if (take(p, "n")) {
        v = add(p, COUNT, 0, 0, 0);
    } else if (take(p, "(")) {
        if (++p->level > LEVELS)
            return NONE;
        v = choice(p);
        p->level--;
        if (!take(p, ")"))
            return NONE;
    } else {
        v = number(p);
    }
    while (nots-- > 0 && v != NONE)
        v = add(p, NOT, v, 0, 0);
    return v;
}

static unsigned binary(struct parser *p, int tightness) {
    if (tightness > TIGHTEST)
        return operand(p);
    unsigned left = binary(p, tightness + 1);
    for (size_t i = 0; i < sizeof operators / sizeof *operators && left != NONE; i++) {
        if (operators[i].tightness != tightness || !take(p, operators[i].text))
            continue;
        left = add(p, operators[i].what, left, binary(p, tightness + 1), 0);
        i = (size_t)-1; // another one may follow
    }
    return left;
}

static unsigned choice(struct parser *p) {
    unsigned condition = binary(p, 1);
    if (condition == NONE || !take(p, "?"))
        return condition;
    if (++p->level > LEVELS)
        return NONE;
    unsigned yes = choice(p);
    unsigned no = yes != NONE && take(p, ":") ? choice(p) : NONE;
    p->level--;
    return add(p, CHOICE, condition, yes, no);
}

bool plural_parse(struct str header, struct plural *out) {
    struct plural parsed = {.n = 0};
    struct parser p = {.s = header, .out = &parsed};
    if (!take(&p, "nplurals") || !take(&p, "="))
        return false;
    p.s = str_trim(p.s);
    unsigned forms = number(&p);
    if (forms == NONE || parsed.nodes[forms].number == 0 || parsed.nodes[forms].number > 16)
        return false;
    parsed.forms = parsed.nodes[forms].number;
    if (!take(&p, ";") || !take(&p, "plural") || !take(&p, "="))
        return false;
    parsed.root = choice(&p);
    take(&p, ";");
    if (parsed.root == NONE || str_trim(p.s).n)
        return false;
    *out = parsed;
    return true;
}

// Operands stand before their operation, so that one pass computes all. Both sides of a choice are
// computed, which costs nothing and cannot fail.
unsigned plural_form(const struct plural *pl, uint64_t n) {
    uint64_t v[PLURAL_NODES];
    v[0] = 0;
    for (unsigned i = 0; i < pl->n; i++) {
        uint64_t a = i ? v[pl->nodes[i].a < i ? pl->nodes[i].a : 0] : 0;
        uint64_t b = i ? v[pl->nodes[i].b < i ? pl->nodes[i].b : 0] : 0;
        uint64_t c = i ? v[pl->nodes[i].c < i ? pl->nodes[i].c : 0] : 0;
        switch ((enum what)pl->nodes[i].what) {
        case NUMBER:
            v[i] = pl->nodes[i].number;
            break;
        case COUNT:
            v[i] = n;
            break;
        case NOT:
            v[i] = !a;
            break;
        case MULTIPLY:
            v[i] = a * b;
            break;
        case DIVIDE:
            v[i] = b ? a / b : 0;
            break;
        case REST:
            v[i] = b ? a % b : 0;
            break;
        case ADD:
            v[i] = a + b;
            break;
        case SUBTRACT:
            v[i] = a - b;
            break;
        case LESS:
            v[i] = a < b;
            break;
        case MORE:
            v[i] = a > b;
            break;
        case LESS_EQUAL:
            v[i] = a <= b;
            break;
        case MORE_EQUAL:
            v[i] = a >= b;
            break;
        case EQUAL:
            v[i] = a == b;
            break;
        case UNEQUAL:
            v[i] = a != b;
            break;
        case AND:
            v[i] = a && b;
            break;
        case OR:
            v[i] = a || b;
            break;
        case CHOICE:
            v[i] = a ? b : c;
            break;
        }
    }
    return v[pl->root] < pl->forms ? (unsigned)v[pl->root] : 0;
}
