#include "web/routes.h"
#include "web/handlers.h"
#include "web/present.h"
#include "web/session.h"
#include "web/wizard.h"

#define INPUTS(...) ((const struct route_input[]){__VA_ARGS__, {.name = NULL}})

// ---------------------------------------------------------------- what several rows accept

static const struct route_input list_query[] = {
    {"filter", IN_FILTERS, false, "filter[FIELD][OPERATOR]=VALUE; operators: eq ne contains starts gt gte lt lte in empty"},
    {"sort", IN_LIST, false, "fields by comma, a minus before one for descending; at most four"},
    {"columns", IN_LIST, false, "fields by comma; those of the module's list otherwise"},
    {"limit", IN_INT, false, "records in the answer, 1 to 200; 50 otherwise"},
    {"after", IN_TEXT, false, "`next` of the answer before"},
    {"count", IN_BOOL, false, "count them too"},
    {"deleted", IN_BOOL, false, "the deleted ones instead of the living"},
    {NULL, 0, false, NULL},
};

static const struct route_input timeline_query[] = {
    {"kind", IN_LIST, false, "kinds of events (created, edited, ...), groups of them (comments, changes) or modules, by comma"},
    {"own", IN_BOOL, false, "only events of the record itself"},
    {"before", IN_INT, false, "events at positions below this"},
    {"limit", IN_INT, false, "events in the answer, 1 to 200; 50 otherwise"},
    {NULL, 0, false, NULL},
};

static const struct route_input log_query[] = {
    {"from", IN_TIME, false, "from this moment or day on"},
    {"to", IN_TIME, false, "to this moment, or to the end of this day"},
    {"user", IN_INT, false, "by this user; 0: by the system"},
    {"module", IN_TEXT, false, "of this module"},
    {"kind", IN_TEXT, false, "of this kind"},
    {"field", IN_TEXT, false, "that changed this field"},
    {"operation", IN_INT, false, "of this operation"},
    {"before", IN_INT, false, "at positions below this"},
    {"limit", IN_INT, false, "events in the answer, 1 to 200; 50 otherwise"},
    {NULL, 0, false, NULL},
};

static const struct route_input record_body[] = {
    {"{record}", IN_RECORD, true, "the module's writable fields"},
    {NULL, 0, false, NULL},
};

// One row for each ending.
#define EXPORTS(at, of, query_, verb_, flags_, tag_, what, fn)                                                                     \
    EXPORT_ROW(at, of, "csv", "Csv", query_, verb_, flags_, tag_, what " as CSV", fn),                                             \
        EXPORT_ROW(at, of, "xlsx", "Xlsx", query_, verb_, flags_, tag_, what " as a spreadsheet", fn),                             \
        EXPORT_ROW(at, of, "jsonl", "Jsonl", query_, verb_, flags_, tag_, what " as JSON Lines", fn)
#define EXPORT_ROW(at, of, end, name_, query_, verb_, flags_, tag_, what, fn)                                                      \
    {.method = "GET", .path = at "." end, .verb = verb_, .flags = flags_, .id = "export" of name_, .tag = tag_, .says = what,      \
     .query = query_, .reply = REPLY_BYTES, .handle = fn}

static const struct route_input import_query[] = {
    {"map", IN_TEXT, false, "the mapping as JSON (docs/import.md); what it leaves open is remembered or guessed"},
    {"on_duplicate", IN_TEXT, false, "skip, merge or create"},
    {"dry_run", IN_BOOL, false, "only tell what would happen; the answer is the report"},
    {"name", IN_TEXT, false, "what the file is called"},
    {"fresh", IN_BOOL, false, "do not use a remembered mapping"},
    {"continue", IN_BOOL, false, "go on where the newest unfinished import of the same file stopped"},
    {NULL, 0, false, NULL},
};

// ---------------------------------------------------------------- the table

const struct route routes[] = {
    // ---- signing in and out
    {.method = "GET", .path = "/sign-in", .verb = VERB_PUBLIC, .flags = ROUTE_PAGE_ONLY | ROUTE_SIGN_IN, .page = "sign-in",
     .id = "signInPage", .tag = "session", .says = "The sign-in page", .handle = handle_sign_in_page},
    {.method = "POST", .path = "/sign-in", .verb = VERB_PUBLIC, .flags = ROUTE_PAGE_ONLY | ROUTE_SIGN_IN, .page = "sign-in",
     .id = "signIn", .tag = "session", .says = "Sign in with e-mail and password", .handle = handle_sign_in},
    {.method = "POST", .path = "/sign-out", .verb = VERB_SELF, .flags = ROUTE_PAGE_ONLY, .id = "signOut", .tag = "session",
     .says = "End this session", .handle = handle_sign_out},

    // ---- home, search
    {.method = "GET", .path = "/", .verb = VERB_SELF, .page = "home", .id = "home", .tag = "general",
     .says = "What waits for the person who asks, and what changed of late", .reply = REPLY_OBJECT, .handle = handle_home,
     .present = present_home},
    {.method = "GET", .path = "/search", .verb = VERB_SELF, .page = "search", .parts = "palette-results", .id = "search",
     .tag = "general", .says = "Search in all modules",
     .query = INPUTS({"q", IN_TEXT, true, "what to look for, without accents and case"},
                     {"module", IN_TEXT, false, "only in this module"},
                     {"limit", IN_INT, false, "hits in the answer, 1 to 50; 20 otherwise"}),
     .reply = REPLY_OBJECT, .handle = handle_search, .present = present_search},
    {.method = "GET", .path = "/keys", .verb = VERB_SELF, .flags = ROUTE_PAGE_ONLY, .page = "keys", .parts = "keys-list",
     .id = "keyboard", .tag = "general", .says = "The keys of the keyboard", .handle = handle_keys_page},

    // ---- records of a module
    {.method = "GET", .path = "/{module}", .verb = VERB_VIEW, .page = "list", .parts = "list-rows list-count list-filter",
     .id = "listRecords", .tag = "records", .says = "List records with filters, order and chosen columns",
     .query = list_query, .reply = REPLY_LIST, .handle = handle_list, .present = present_list},
    {.method = "POST", .path = "/{module}", .verb = VERB_CREATE, .flags = ROUTE_FILES, .page = "form", .parts = "form-quick lookup-results",
     .id = "createRecord", .tag = "records", .says = "Create a record", .body = record_body, .reply = REPLY_RECORD,
     .success = 201, .handle = handle_create},
    {.method = "GET", .path = "/{module}/new", .verb = VERB_CREATE, .flags = ROUTE_PAGE_ONLY, .page = "form",
     .parts = "form-quick", .id = "newRecordPage", .tag = "records", .says = "The form for a new record",
     .handle = handle_new_page, .present = present_form},
    {.method = "GET", .path = "/{module}/lookup", .verb = VERB_VIEW, .page = "lookup-results", .parts = "lookup-results",
     .id = "lookupRecords", .tag = "records", .says = "Find records by the beginning or a part of their name",
     .query = INPUTS({"q", IN_TEXT, false, "what was typed"}, {"limit", IN_INT, false, "hits, 1 to 50; 10 otherwise"}),
     .reply = REPLY_OBJECT, .handle = handle_lookup, .present = present_lookup},
    {.method = "POST", .path = "/{module}/bulk", .verb = VERB_VIEW, .id = "changeRecords", .tag = "records", .page = "confirm",
     .says = "Do something with many records: those named, or all that a filter finds",
     .query = list_query,
     .body = INPUTS({"do", IN_TEXT, true, "assign, delete or restore"}, {"id", IN_LIST, false, "the records"},
                    {"all", IN_BOOL, false, "all that the filter of the query finds"},
                    {"user", IN_INT, false, "assign: the person in charge; null: nobody"},
                    {"confirmed", IN_BOOL, false, "pages: it was asked before deleting"}),
     .reply = REPLY_OBJECT, .handle = handle_bulk},
    {.method = "POST", .path = "/{module}/views", .verb = VERB_VIEW, .flags = ROUTE_PAGE_ONLY, .id = "saveView", .tag = "records",
     .says = "Keep the present filters, columns and order as a view", .handle = handle_view_save},
    {.method = "POST", .path = "/views/{id}/delete", .verb = VERB_SELF, .flags = ROUTE_PAGE_ONLY, .id = "deleteView",
     .tag = "records", .says = "Delete a saved view", .handle = handle_view_delete},

    {.method = "GET", .path = "/{module}/{id}", .verb = VERB_VIEW, .page = "card", .parts = "card-live card-events",
     .id = "getRecord", .tag = "records", .says = "A record, as it is or as it was",
     .query = INPUTS({"as_of", IN_TIME, false, "as it was at this moment"}), .reply = REPLY_RECORD, .handle = handle_card,
     .present = present_card},
    {.method = "PATCH", .path = "/{module}/{id}", .page_method = "POST", .verb = VERB_EDIT, .flags = ROUTE_FILES, .page = "form",
     .parts = "card-live card-fact-form conflict-part", .id = "changeRecord", .tag = "records",
     .says = "Change fields of a record. With If-Match a newer version is merged, or refused with 409 where the same fields changed",
     .body = record_body, .reply = REPLY_RECORD, .handle = handle_change},
    {.method = "GET", .path = "/{module}/{id}/edit", .verb = VERB_EDIT, .flags = ROUTE_PAGE_ONLY, .page = "form",
     .parts = "card-fact-form", .id = "editRecordPage", .tag = "records", .says = "The form of a record", .handle = handle_edit_page,
     .present = present_form},
    {.method = "DELETE", .path = "/{module}/{id}", .page_method = "POST", .page_path = "/{module}/{id}/delete",
     .verb = VERB_DELETE, .page = "confirm", .id = "deleteRecord", .tag = "records", .says = "Delete a record; it can be restored",
     .success = 204, .handle = handle_delete},
    {.method = "GET", .path = "/{module}/{id}/delete", .verb = VERB_DELETE, .flags = ROUTE_PAGE_ONLY, .page = "confirm",
     .id = "deleteRecordPage", .tag = "records", .says = "Asks before deleting", .handle = handle_delete_page},
    {.method = "POST", .path = "/{module}/{id}/restore", .verb = VERB_DELETE, .id = "restoreRecord", .tag = "records",
     .says = "Bring a deleted record back", .reply = REPLY_RECORD, .handle = handle_restore},
    {.method = "GET", .path = "/{module}/{id}/history", .verb = VERB_VIEW, .page = "history", .parts = "log-rows",
     .id = "recordHistory", .tag = "history", .says = "What happened with a record and what belongs to it, newest first",
     .query = timeline_query, .reply = REPLY_HISTORY, .handle = handle_history, .present = present_history},
    {.method = "POST", .path = "/{module}/{id}/comments", .verb = VERB_EDIT, .page = "card", .parts = "card-live card-events",
     .id = "addComment", .tag = "history", .says = "Comment on a record",
     .body = INPUTS({"text", IN_TEXT, true, "up to 5,000 characters"}), .reply = REPLY_EVENT, .success = 201,
     .handle = handle_comment},

    // ---- files
    EXPORTS("/{module}/export", "Records", list_query, VERB_EXPORT, 0, "transfer", "The records of a list", handle_export),
    EXPORTS("/{module}/{id}/history/export", "RecordHistory", timeline_query, VERB_EXPORT, 0, "transfer", "What happened with a record",
            handle_export_history),
    EXPORTS("/history/export", "ChangeLog", log_query, VERB_AUDIT, 0, "transfer", "The change log", handle_export_log),
    {.method = "GET", .path = "/{module}/import", .verb = VERB_IMPORT, .flags = ROUTE_PAGE_ONLY, .page = "import", .id = "importPage",
     .tag = "transfer", .says = "Choose a file to import", .handle = handle_import_page, .present = present_import},
    {.method = "GET", .path = "/import/{module}/sample.xlsx", .page_path = "/{module}/import/sample.xlsx", .verb = VERB_IMPORT,
     .id = "importSample", .tag = "transfer", .says = "An empty spreadsheet with the right headings", .reply = REPLY_BYTES,
     .handle = handle_import_sample},
    {.method = "POST", .path = "/{module}/import", .verb = VERB_IMPORT, .flags = ROUTE_PAGE_ONLY | ROUTE_UPLOAD, .id = "importUpload",
     .tag = "transfer", .says = "Bring a file to import", .handle = handle_import_upload},
    {.method = "GET", .path = "/{module}/import/{upload}", .verb = VERB_IMPORT, .flags = ROUTE_PAGE_ONLY, .page = "import-map",
     .id = "importMapPage", .tag = "transfer", .says = "Which column is what", .handle = handle_import_map},
    {.method = "POST", .path = "/{module}/import/{upload}", .verb = VERB_IMPORT, .flags = ROUTE_PAGE_ONLY, .page = "import-map",
     .id = "importMap", .tag = "transfer", .says = "Choose columns; try it, or import", .handle = handle_import_map},
    {.method = "POST", .path = "/import/{module}", .verb = VERB_IMPORT, .flags = ROUTE_API_ONLY | ROUTE_UPLOAD, .id = "importRecords",
     .tag = "transfer", .says = "Import a file: its bytes as the body, or a form with it. Answers at once; Location has how it went",
     .query = import_query, .reply = REPLY_OBJECT, .success = 202, .handle = handle_import},
    {.method = "GET", .path = "/import/{module}/{upload}", .page_path = "/{module}/import/{upload}/run", .verb = VERB_IMPORT,
     .page = "import-run", .parts = "import-state", .id = "importTrial", .tag = "transfer", .says = "How a trial stands",
     .reply = REPLY_OBJECT, .handle = handle_import_trial, .present = present_import_run},
    {.method = "GET", .path = "/import/{module}/{id}", .page_path = "/{module}/import/{id}", .verb = VERB_IMPORT, .page = "import-run",
     .parts = "import-state", .id = "importState", .tag = "transfer", .says = "How an import stands, and its report",
     .reply = REPLY_OBJECT, .handle = handle_import_state, .present = present_import_run},
    {.method = "GET", .path = "/import/{module}/{upload}/refused.csv", .page_path = "/{module}/import/{upload}/refused.csv",
     .verb = VERB_IMPORT, .id = "importRefused", .tag = "transfer", .says = "The rows that were refused, with the reasons",
     .reply = REPLY_BYTES, .handle = handle_import_refused},
    {.method = "POST", .path = "/import/{module}/{id}/continue", .page_path = "/{module}/import/{id}/continue", .verb = VERB_IMPORT,
     .id = "importContinue", .tag = "transfer", .says = "Go on with an import that was cut off", .reply = REPLY_OBJECT, .success = 202,
     .handle = handle_import_continue},
    {.method = "POST", .path = "/import/{module}/{id}/stop", .page_path = "/{module}/import/{id}/stop", .verb = VERB_IMPORT,
     .id = "importStop", .tag = "transfer", .says = "Stop an import; it can be continued", .reply = REPLY_OBJECT, .success = 202,
     .handle = handle_import_stop},
    {.method = "POST", .path = "/files", .verb = VERB_CREATE, .flags = ROUTE_API_ONLY | ROUTE_UPLOAD, .id = "keepFile", .tag = "transfer",
     .says = "Keep a file: its bytes as the body. The answer is what a field of files holds",
     .query = INPUTS({"name", IN_TEXT, true, "what the file is called"}), .reply = REPLY_OBJECT, .success = 201,
     .handle = handle_file_keep},
    {.method = "GET", .path = "/{module}/{id}/files/{field}", .verb = VERB_VIEW, .id = "getFile", .tag = "transfer",
     .says = "The file that a field of a record holds", .reply = REPLY_BYTES, .handle = handle_file_get},

    // ---- the log
    {.method = "GET", .path = "/history", .verb = VERB_AUDIT, .page = "log", .parts = "log-rows", .id = "changeLog",
     .tag = "history", .says = "Everything that happened in the account, newest first", .query = log_query,
     .reply = REPLY_HISTORY, .handle = handle_log, .present = present_log},
    {.method = "GET", .path = "/operations/{position}", .verb = VERB_SELF, .page = "operation", .parts = "log-rows",
     .id = "getOperation", .tag = "history", .says = "All that one act of a person or program did",
     .query = INPUTS({"before", IN_INT, false, "events at positions below this"},
                     {"limit", IN_INT, false, "events in the answer, 1 to 200; 50 otherwise"}),
     .reply = REPLY_HISTORY, .handle = handle_operation, .present = present_operation},
    {.method = "GET", .path = "/log/{position}", .verb = VERB_SELF, .page = "proof", .id = "getEvent", .tag = "log",
     .says = "An event with its bytes and the proof that the log has it", .reply = REPLY_OBJECT, .handle = handle_event,
     .present = present_event},
    {.method = "GET", .path = "/log/receipt/{position}", .verb = VERB_SELF, .flags = ROUTE_API_ONLY, .id = "getReceipt",
     .tag = "log", .says = "A receipt: proves the event to whoever has the log's public key, without the log",
     .reply = REPLY_OBJECT, .handle = handle_receipt},
    {.method = "GET", .path = "/log/checkpoint", .verb = VERB_SELF, .flags = ROUTE_API_ONLY, .id = "logCheckpoint", .tag = "log",
     .says = "Size and root of the log, signed (C2SP tlog-checkpoint)", .reply = REPLY_TEXT, .handle = handle_checkpoint},
    {.method = "GET", .path = "/log/proof", .verb = VERB_SELF, .flags = ROUTE_API_ONLY, .id = "logProof", .tag = "log",
     .says = "An inclusion proof (position), or a consistency proof (from), as in RFC 6962",
     .query = INPUTS({"position", IN_INT, false, "of the event whose inclusion is proved"},
                     {"from", IN_INT, false, "size of the earlier tree that the later one must contain"},
                     {"size", IN_INT, false, "of the tree; the present one otherwise"}),
     .reply = REPLY_OBJECT, .handle = handle_proof},
    {.method = "GET", .path = "/log/tile/{rest}", .verb = VERB_AUDIT, .flags = ROUTE_API_ONLY, .id = "logTile", .tag = "log",
     .says = "A tile of the log's tree or of its entries (C2SP tlog-tiles)", .reply = REPLY_BYTES, .handle = handle_tile},
    {.method = "GET", .path = "/events", .verb = VERB_AUDIT, .flags = ROUTE_API_ONLY, .id = "eventFeed", .tag = "log",
     .says = "Events after a position, oldest first: for programs that follow the history",
     .query = INPUTS({"after", IN_INT, false, "position of the last event that is known; -1 from the start"},
                     {"limit", IN_INT, false, "events in the answer, 1 to 1,000; 100 otherwise"}),
     .reply = REPLY_HISTORY, .handle = handle_feed},
    {.method = "GET", .path = "/live", .verb = VERB_SELF, .flags = ROUTE_API_ONLY | ROUTE_NO_READ, .id = "liveStream", .tag = "log",
     .says = "A message for each event of a record's story as it happens (server-sent events; resumes at Last-Event-ID)",
     .query = INPUTS({"record", IN_TEXT, false, "MODULE/ID; without it the whole log, for administrators"},
                     {"after", IN_INT, false, "position of the last event that is known; the newest otherwise"}),
     .reply = REPLY_STREAM, .handle = handle_live},

    // ---- one's own settings
    {.method = "GET", .path = "/settings", .verb = VERB_SELF, .page = "settings", .id = "getSettings", .tag = "settings",
     .says = "One's own settings, API keys and sessions", .reply = REPLY_OBJECT, .handle = handle_settings,
     .present = present_settings},
    {.method = "PATCH", .path = "/settings", .page_method = "POST", .verb = VERB_SELF, .page = "settings", .id = "changeSettings",
     .tag = "settings", .says = "Change one's own settings",
     .body = INPUTS({"language", IN_TEXT, false, "es, en, pl or ro"}, {"zone", IN_TEXT, false, "of the IANA database"},
                    {"theme", IN_TEXT, false, "system, light or dark"}, {"density", IN_TEXT, false, "comfortable or compact"}),
     .reply = REPLY_OBJECT, .handle = handle_settings_change, .present = present_settings},
    {.method = "POST", .path = "/settings/password", .verb = VERB_SELF, .page = "settings", .id = "changePassword", .tag = "settings",
     .says = "Change one's own password; ends the other sessions",
     .body = INPUTS({"password", IN_TEXT, true, "the present one"}, {"new_password", IN_TEXT, true, "at least 10 characters"}),
     .success = 204, .handle = handle_password, .present = present_settings},
    {.method = "POST", .path = "/settings/keys", .verb = VERB_SELF, .page = "settings", .id = "addKey", .tag = "settings",
     .says = "Make an API key of one's own; it is shown only in this answer",
     .body = INPUTS({"name", IN_TEXT, true, "what it is for"}), .reply = REPLY_OBJECT, .success = 201, .handle = handle_key_add,
     .present = present_settings},
    {.method = "DELETE", .path = "/settings/keys/{key}", .page_method = "POST", .page_path = "/settings/keys/{key}/revoke",
     .verb = VERB_SELF, .id = "revokeKey", .tag = "settings", .says = "End one of one's own API keys", .success = 204,
     .handle = handle_key_revoke},
    {.method = "DELETE", .path = "/settings/sessions/{key}", .page_method = "POST", .page_path = "/settings/sessions/{key}/end",
     .verb = VERB_SELF, .id = "endSession", .tag = "settings", .says = "End one of one's own sessions", .success = 204,
     .handle = handle_session_end},

    // ---- users
    {.method = "POST", .path = "/users/{id}/password", .verb = VERB_USERS, .page = "form", .id = "setPassword", .tag = "users",
     .says = "Give a user a new password; ends the user's sessions",
     .body = INPUTS({"password", IN_TEXT, true, "at least 10 characters"}), .success = 204, .handle = handle_user_password},
    {.method = "GET", .path = "/users/{id}/password", .verb = VERB_USERS, .flags = ROUTE_PAGE_ONLY, .page = "form",
     .id = "setPasswordPage", .tag = "users", .says = "The form for a user's new password", .handle = handle_user_password_page},

    // ---- modules
    {.method = "GET", .path = "/settings/modules", .verb = VERB_DESIGN, .page = "table", .id = "listModules", .tag = "modules",
     .says = "The modules", .reply = REPLY_OBJECT, .handle = handle_modules, .present = present_modules},
    {.method = "GET", .path = "/settings/modules/{module}", .verb = VERB_DESIGN, .page = "module-settings", .id = "getModule",
     .tag = "modules", .says = "A module's fields", .reply = REPLY_OBJECT, .handle = handle_module, .present = present_module},
    {.method = "POST", .path = "/settings/modules/{module}", .verb = VERB_DESIGN, .page = "module-settings", .id = "arrangeModule",
     .tag = "modules", .says = "Put the fields in another order, hide or show one",
     .body = INPUTS({"order", IN_LIST, false, "keys of fields in their order"}, {"key", IN_TEXT, false, "of one field"},
                    {"do", IN_TEXT, false, "with that field: up, down, hide, show"}),
     .reply = REPLY_OBJECT, .handle = handle_module_arrange, .present = present_module},
    {.method = "GET", .path = "/settings/modules/{module}/new", .verb = VERB_DESIGN, .flags = ROUTE_PAGE_ONLY, .page = "field",
     .id = "newFieldPage", .tag = "modules", .says = "The form for a new field", .handle = handle_field_new,
     .present = present_field},
    {.method = "POST", .path = "/settings/modules/{module}/fields", .verb = VERB_DESIGN, .page = "field", .id = "addField",
     .tag = "modules", .says = "Add a field to a module",
     .body = INPUTS({"{record}", IN_RECORD, true, "as a record of the module `fields`, without `of_module`"}),
     .reply = REPLY_OBJECT, .success = 201, .handle = handle_field_add, .present = present_field},
    {.method = "GET", .path = "/settings/modules/{module}/fields/{key}", .verb = VERB_DESIGN, .page = "field", .id = "getField",
     .tag = "modules", .says = "A field of a module", .reply = REPLY_OBJECT, .handle = handle_field, .present = present_field},
    {.method = "PATCH", .path = "/settings/modules/{module}/fields/{key}", .page_method = "POST", .verb = VERB_DESIGN, .page = "field",
     .id = "changeField", .tag = "modules", .says = "Change a field of a module",
     .body = INPUTS({"{record}", IN_RECORD, true, "what changes"}), .reply = REPLY_OBJECT, .handle = handle_field_change,
     .present = present_field},

    // ---- for machines
    {.method = "GET", .path = "/openapi.json", .verb = VERB_PUBLIC, .flags = ROUTE_API_ONLY | ROUTE_NO_READ, .id = "openapi",
     .tag = "general", .says = "This description", .reply = REPLY_OBJECT, .handle = handle_openapi},
    {.method = "GET", .path = "/static/{version}/{name}", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "static", .tag = "machines",
     .says = "Style, script, fonts", .handle = handle_static},
    {.method = "GET", .path = "/favicon.ico", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "favicon", .tag = "machines",
     .says = "The icon", .handle = handle_static},
    {.method = "GET", .path = "/manifest.webmanifest", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "manifest", .tag = "machines",
     .says = "The description for installing it as an app", .handle = handle_static},
    {.method = "GET", .path = "/healthz", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "healthz", .tag = "machines",
     .says = "The process answers", .handle = handle_healthz},
    {.method = "GET", .path = "/readyz", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "readyz", .tag = "machines",
     .says = "The database answers too", .handle = handle_readyz},
    {.method = "GET", .path = "/metrics", .verb = VERB_PUBLIC, .flags = ROUTE_BARE, .id = "metrics", .tag = "machines",
     .says = "Counters for Prometheus: from this machine, or with an administrator's key", .handle = handle_metrics},
};

const size_t n_routes = sizeof routes / sizeof *routes;
