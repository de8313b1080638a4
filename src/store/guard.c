#include "store/guard.h"

#include <strings.h>

// Gates by which a log table may be changed; 0: never. `remake` is for update and delete on STORE_MIGRATE.
static const struct rule {
    const char *table;
    unsigned insert, update, remake, drop;
} rules[] = {
    {"events", .insert = STORE_GATE_APPEND},
    {"payloads", .insert = STORE_GATE_APPEND, .update = STORE_GATE_ERASE},
    {"tiles", .insert = STORE_GATE_APPEND, .remake = STORE_GATE_APPEND, .drop = STORE_GATE_SCHEMA},
    {"log_state", .insert = STORE_GATE_APPEND, .update = STORE_GATE_APPEND,
     .remake = STORE_GATE_APPEND, .drop = STORE_GATE_SCHEMA},
};

static const struct rule *rule_of(const char *table) {
    for (size_t i = 0; table && i < sizeof rules / sizeof *rules; i++)
        if (strcasecmp(rules[i].table, table) == 0)
            return &rules[i];
    return NULL;
}

// Pragmas that only tell; those marked may be called with an argument.
static bool pragma_allowed(const struct guard_ask *ask) {
    static const struct {
        const char *name;
        bool argument;
    } harmless[] = {
        {"data_version", false},   {"foreign_key_list", true}, {"freelist_count", false},
        {"index_info", true},      {"index_list", true},       {"index_xinfo", true},
        {"integrity_check", true}, {"page_count", false},      {"page_size", false},
        {"quick_check", true},     {"table_info", true},       {"table_list", true},
        {"table_xinfo", true},     {"user_version", false},
    };
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strcasecmp(harmless[i].name, ask->table) == 0)
            return harmless[i].argument || !ask->detail;
    return false;
}

// The gates a change of a log table needs; 0: never allowed.
static unsigned gates_for(const struct rule *rule, enum store_access access, enum guard_act act) {
    bool migrate = access == STORE_MIGRATE;
    switch (act) {
    case GUARD_INSERT:
        return rule->insert;
    case GUARD_UPDATE:
        return migrate ? rule->remake : rule->update;
    case GUARD_DELETE:
        return migrate ? rule->remake : 0;
    case GUARD_DROP:
        return rule->drop;
    case GUARD_CREATE:
    case GUARD_SHAPE:
        return STORE_GATE_SCHEMA;
    default:
        return 0;
    }
}

static bool in_search(const struct guard_ask *ask) {
    if (ask->schema && strcasecmp(ask->schema, "main") != 0)
        return false;
    return ask->act != GUARD_PRAGMA || pragma_allowed(ask);
}

bool guard_allows(enum store_access access, unsigned open_gates, const struct guard_ask *ask,
                  unsigned *needs) {
    if (ask->act == GUARD_LOOK)
        return true;
    if (ask->act == GUARD_NEVER)
        return false;
    if (access == STORE_SEARCH)
        return in_search(ask);
    if (ask->act == GUARD_PRAGMA)
        return pragma_allowed(ask);
    // The search index's virtual table asks for this whenever it is opened. SQLite itself refuses a statement that would do
    // it, as long as writable_schema is off.
    if (ask->act == GUARD_UPDATE && ask->table && strcasecmp(ask->table, "sqlite_master") == 0)
        return true;
    bool shapes = access == STORE_HISTORY || access == STORE_MIGRATE;
    // Renaming a column looks after temporary triggers too, of which there are none.
    if (shapes && ask->act == GUARD_UPDATE && ask->table &&
        strcasecmp(ask->table, "sqlite_temp_master") == 0)
        return true;
    if (access == STORE_READ || access == STORE_SCAN || access == STORE_REPLICA ||
        (ask->schema && strcasecmp(ask->schema, "main") != 0))
        return false;
    if (ask->act == GUARD_TEND)
        return shapes;
    const struct rule *rule = rule_of(ask->table);
    if (rule) {
        unsigned gates = gates_for(rule, access, ask->act);
        if (!gates || (gates & ~open_gates))
            return false;
        *needs |= gates;
        return true;
    }
    // Changes of the catalogue's own tables are how CREATE and ALTER do their work.
    bool catalogue = ask->table && strncasecmp(ask->table, "sqlite_", 7) == 0;
    switch (ask->act) {
    case GUARD_INSERT:
    case GUARD_UPDATE:
    case GUARD_DELETE:
        return !catalogue || access != STORE_WRITE;
    case GUARD_CREATE:
    case GUARD_DROP:
        return shapes;
    case GUARD_SHAPE:
        return access == STORE_MIGRATE;
    default:
        return false;
    }
}
