// Import: from files as people have them to records, with every trap told.
#include "import_world.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "actions/undo.h"
#include "formats/encoding.h"
#include "formats/xlsx.h"
#include "history/history.h"
#include "records/rows.h"

// ---------------------------------------------------------------- recognising

static bool is_alive(struct world *w, int64_t id) {
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    bool alive = import_is_alive(w->crm, conn, id);
    conn_close(conn);
    return alive;
}

static void maps_to(struct world *w, const char *module, const char *csv, const char *column,
                    const char *field) {
    struct import *job = import_of(w, module, file_with(w, "head.csv", str_z(csv)), NULL);
    struct doc *about = NULL;
    struct error e = {0};
    must(import_describe(job, &w->arena, &about, &e), &e);
    bool found = false;
    doc_each(c, doc_get(about, STR("columns"))) {
        if (!str_is(doc_get_text(c, "name"), column))
            continue;
        found = true;
        struct str got = doc_get_text(c, "field");
        if (!str_is(got, field))
            fail_msg("%s: column %s became \"%.*s\", not %s", module, column, STR_FMT(got), field);
    }
    if (!found)
        fail_msg("no column %s", column);
    import_close(job);
}

static void test_columns_are_recognised(void **state) {
    struct world *w = *state;
    maps_to(w, "contacts",
            "Nombre;Correo electrónico;Teléfono;Ciudad\nAna;a@b.es;91 123 45 67;Madrid\n",
            "Correo electrónico", "email");
    maps_to(w, "contacts",
            "Nombre;Correo electrónico;Teléfono móvil;Ciudad\nAna;a@b.es;600;Madrid\n",
            "Teléfono móvil", "mobile");
    maps_to(w, "contacts", "Imię i nazwisko,Firma,Miasto\nEwa,X,Łódź\n", "Imię i nazwisko", "name");
    maps_to(w, "contacts", "Imię i nazwisko,Firma,Miasto\nEwa,X,Łódź\n", "Firma", "company");
    maps_to(w, "contacts", "Nume,Companie,Oraș\nIon,X,Iași\n", "Oraș", "city");
    maps_to(w, "contacts", "Full name,Account Name,E-Mail Address\nAnn,X,a@b.com\n", "Account Name",
            "company");
    maps_to(w, "companies", "account,sector,subsidiary_of\nAcme,x,\n", "account", "name");
    maps_to(w, "companies", "account,sector,subsidiary_of\nAcme,x,\n", "subsidiary_of", "parent");
    maps_to(w, "companies", "Razón social,NIF\nAcme,B1\n", "Razón social", "name");
    maps_to(w, "opportunities", "opportunity,sales_agent,deal_stage,close_value\nx,Ann,Won,5\n",
            "sales_agent", "owner");
    maps_to(w, "opportunities", "opportunity,sales_agent,deal_stage,close_value\nx,Ann,Won,5\n",
            "deal_stage", "stage");
    maps_to(w, "opportunities", "opportunity,sales_agent,deal_stage,close_value\nx,Ann,Won,5\n",
            "opportunity", "name");
    // By what is in them.
    maps_to(w, "contacts", "who,how\nAnn,ann@example.com\nBob,bob@example.com\n", "how", "email");
    maps_to(w, "contacts", "who,where\nAnn,+34 600 123 123\nBob,+34 600 123 124\n", "where",
            "phone");
    // What means nothing is left alone; no field is taken twice.
    maps_to(w, "contacts", "name,zzz\nAnn,1\n", "zzz", "");
    maps_to(w, "contacts", "name,e-mail,email address\nAnn,a@b.com,c@d.com\n", "email address", "");
}

static void test_forms_of_numbers_and_dates_are_recognised(void **state) {
    struct world *w = *state;
    import_text_of(w, "opportunities",
                   "name;amount;closing date;engage date\n"
                   "A;\"1.234,50\";13/05/2026;05/13/2026\n"
                   "B;\"1.000\";03/04/2026;03/04/2026\n"
                   "C;\"12.345.678,9 zł\";1/2/2026;12/31/26\n",
                   NULL);
    const struct doc *a = one_where(w, "opportunities", "name", "A"),
                     *b = one_where(w, "opportunities", "name", "B");
    const struct doc *c = one_where(w, "opportunities", "name", "C");
    is_text(a, "amount.amount", "1234.50");
    is_text(a, "amount.currency", "EUR");
    is_text(a, "closing_date", "2026-05-13");
    is_text(a, "engage_date", "2026-05-13");
    is_text(b, "amount.amount", "1000.00");
    is_text(b, "closing_date", "2026-04-03");
    is_text(b, "engage_date", "2026-03-04");
    is_text(c, "amount.amount", "12345678.90");
    is_text(c, "amount.currency", "PLN");
    is_text(c, "engage_date", "2026-12-31");
}

static void test_encodings_and_delimiters(void **state) {
    struct world *w = *state;
    static const char *const texts[] = {
        "\xEF\xBB\xBFname\tcity\nAna\tLogro\xC3\xB1o\n", // UTF-8 with a mark, tabs
        "name;city\r\nPiotr;\243\363d\237\r\nEwa;Gda\361sk\r\nJan;\214widnica\r\n", // Windows-1250
        "name|city\rJos\xE9|C\xF3rdoba\r",                                          // Latin, CR
    };
    static const char *const names[] = {"Ana", "Piotr", "José"}, *const cities[] = {
                                                                     "Logroño", "Łódź", "Córdoba"};
    for (size_t i = 0; i < 3; i++) {
        import_text_of(w, "contacts", texts[i], NULL);
        is_text(one_where(w, "contacts", "name", names[i]), "city", cities[i]);
    }
    struct buf utf16 = BUF_INIT(1000);
    buf_add(&utf16, "\xFF\xFE", 2);
    for (const char *c = "name,city\nIon,Cluj\n"; *c; c++) {
        buf_char(&utf16, *c);
        buf_char(&utf16, 0);
    }
    struct import *job = import_of(w, "contacts", file_with(w, "u16.csv", buf_view(&utf16)), NULL);
    counts_are(run_import(w, job), 1, 0, 0, 0, 0);
    import_close(job);
    buf_release(&utf16);
    is_text(one_where(w, "contacts", "name", "Ion"), "city", "Cluj");
}

static void refused(struct world *w, const char *name, struct str bytes, const char *mapping,
                    const char *field) {
    struct import *job = NULL;
    struct error e = {0};
    struct import_request q = {
        .path = file_with(w, name, bytes), .module = STR("contacts"), .viewer = &w->admin};
    q.mapping = mapping ? json(w, mapping) : NULL;
    assert_int_equal(import_open(&job, w->crm, &q, &e), INVALID);
    if (strcmp(e.field, field) != 0)
        fail_msg("%s: the problem is with \"%s\", not \"%s\"", mapping ? mapping : name, e.field,
                 field);
    assert_non_null(e.msgid);
}

static void test_what_is_no_table_is_refused(void **state) {
    struct world *w = *state;
    refused(w, "old.xls", (struct str){"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0", 12}, NULL,
            "file");
    refused(w, "a.pdf", STR("%PDF-1.7\n%\xE2\xE3\n1 0 obj"), NULL, "file");
    refused(w, "a.bin",
            (struct str){"\x7F"
                         "ELF\0\0\0\x01\x02",
                         9},
            NULL, "file");
    refused(w, "empty.csv", STR(""), NULL, "file");
    refused(w, "blank.csv", STR("\n , ,\n\n"), NULL, "file");
    refused(w, "broken.xlsx", STR("PK\x03\x04 but nothing more"), NULL, "");
    struct import *job = NULL;
    struct error e = {0};
    struct import_request q = {.path = w->dir, .module = STR("contacts"), .viewer = &w->admin};
    assert_int_equal(import_open(&job, w->crm, &q, &e), INVALID);
    q.path = "/nowhere/at/all.csv";
    assert_int_equal(import_open(&job, w->crm, &q, &e), INVALID);
}

static void test_mappings_are_strict(void **state) {
    struct world *w = *state;
    struct str csv = STR("Name,Mail,City\nAnn,a@b.com,Rome\n");
    refused(w, "a.csv", csv, "{\"colums\":{}}", "mapping");
    refused(w, "a.csv", csv, "{\"columns\":{\"Nme\":\"name\"}}", "Nme");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"nam\"}}", "Name");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"name\",\"City\":\"name\"}}", "City");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":{\"field\":\"name\",\"mising\":\"create\"}}}",
            "Name");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":{\"field\":\"name\",\"missing\":\"create\"}}}",
            "Name");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"name\"},\"match\":[\"email\"]}", "match");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"name\"},\"on_duplicate\":\"mrge\"}",
            "on_duplicate");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"name\"},\"set\":{\"city\":\"{Town}\"}}",
            "city");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":\"name\"},\"set\":{\"city\":\"{City\"}}",
            "city");
    refused(w, "a.csv", csv, "{\"columns\":{\"Name\":{\"field\":\"name\",\"replace\":{\"a\":1}}}}",
            "Name");
    refused(w, "a.csv", csv, "{\"module\":\"companies\",\"columns\":{}}", "module");
    refused(w, "a.csv", csv, "{\"file\":{\"delimiter\":\"ab\"}}", "delimiter");
    refused(w, "a.csv", csv, "{\"file\":{\"encoding\":\"klingon\"}}", "encoding");
    refused(w, "a.csv", csv, "{\"columns\":{\"City\":\"amount.currency\"}}", "City");
    // Names of columns are found without accents and case.
    struct import *job =
        import_of(w, "contacts", file_with(w, "a.csv", csv), "{\"columns\":{\"NÀME\":\"name\"}}");
    import_close(job);
}

static void test_rights(void **state) {
    struct world *w = *state;
    struct import *job = NULL;
    struct error e = {0};
    struct viewer reader = {.user = 7, .profile = PROFILE_READ_ONLY},
                  member = {.user = 8, .profile = PROFILE_MEMBER};
    struct import_request q = {.path = file_with(w, "a.csv", STR("name\nAnn\n")),
                               .module = STR("contacts")};
    q.viewer = &reader;
    assert_int_equal(import_open(&job, w->crm, &q, &e), DENIED);
    q.viewer = &member;
    assert_int_equal(import_open(&job, w->crm, &q, &e), DENIED);
    q.module = STR("fields");
    assert_int_equal(import_open(&job, w->crm, &q, &e), NOT_FOUND);
    q.viewer = &w->admin;
    q.module = STR("nonsense");
    assert_int_equal(import_open(&job, w->crm, &q, &e), NOT_FOUND);
}

// ---------------------------------------------------------------- rows

static void test_preview_shows_problems_where_they_are(void **state) {
    struct world *w = *state;
    create(w, "contacts", "{\"name\":\"Old\",\"email\":\"old@example.com\"}");
    const char *path = file_with(w, "p.csv",
                                 STR("name,email,birthday\n"
                                     "Ann,ann@example.com,2001-02-03\n"
                                     "Bob,not an address,31/02/2001\n"
                                     "Other,old@example.com,\n"
                                     ",nobody@example.com,\n"
                                     "Too,many@example.com,2001-01-01,cells\n"));
    struct import *job = import_of(w, "contacts", path, NULL);
    struct doc *p = NULL;
    struct error e = {0};
    int64_t before = writer_position(crm_writer(w->crm));
    must(import_preview(job, 20, NULL, &w->arena, &p, &e), &e);
    const struct doc *rows = doc_get(p, STR("rows")), *row = rows->first;
    assert_int_equal(rows->count, 5);
    is_text(row, "does", "create");
    const struct doc *cell = doc_get(row, STR("cells"))->first->next->next;
    is_text(cell, "value", "2001-02-03");
    row = row->next;
    is_text(row, "does", "refuse");
    cell = doc_get(row, STR("cells"))->first;
    assert_null(doc_get(cell, STR("problem")));
    assert_non_null(doc_get(cell->next, STR("problem")));
    assert_non_null(doc_get(cell->next->next, STR("problem")));
    row = row->next;
    is_text(row, "does", "skip");
    assert_int_equal(doc_get_int(row, "id", 0), 1);
    row = row->next;
    is_text(row, "does", "refuse");
    assert_int_equal(doc_get(row, STR("problems"))->count, 1);
    row = row->next;
    is_text(row, "does", "refuse");
    assert_int_equal(writer_position(crm_writer(w->crm)), before);
    import_close(job);
}

static void test_duplicates(void **state) {
    struct world *w = *state;
    static const char csv[] = "name,email,city\n"
                              "Ann,ann@example.com,Rome\n"
                              "Bob,bob@example.com,Oslo\n"
                              "Ann B.,ANN@example.com,Turin\n" // the same as the first
                              "Cid,,\n"
                              "Cid,,\n"; // without an address nothing says that they are one
    struct doc *r = import_text_of(w, "contacts", csv, "{\"on_duplicate\":\"skip\"}");
    counts_are(r, 4, 0, 0, 1, 0);
    is_text(one_where(w, "contacts", "email", "ann@example.com"), "city", "Rome");
    // The same again: everybody with an address is there.
    r = import_text_of(w, "contacts", csv, "{\"on_duplicate\":\"skip\"}");
    counts_are(r, 2, 0, 0, 3, 0);
    r = import_text_of(w, "contacts",
                       "name,email,city\nAnn,ann@example.com,Milan\nBob,bob@example.com,Oslo\nBob,"
                       "bob@example.com,\n",
                       "{\"on_duplicate\":\"merge\"}");
    counts_are(r, 0, 1, 2, 0, 0);
    is_text(one_where(w, "contacts", "email", "ann@example.com"), "city", "Milan");
    is_text(one_where(w, "contacts", "email", "bob@example.com"), "city",
            "Oslo"); // a blank cell takes nothing away
    r = import_text_of(w, "contacts", "name,email\nAnn,ann@example.com\n",
                       "{\"on_duplicate\":\"create\"}");
    counts_are(r, 1, 0, 0, 0, 0);
    r = import_text_of(w, "contacts", "name,email\nAnn,ann@example.com\n",
                       "{\"on_duplicate\":\"merge\"}");
    counts_are(r, 0, 0, 0, 0, 1); // two of them now: which one?
    // Two fields together, without accents and case.
    r = import_text_of(w, "contacts", "name,city,position\nÁNN,milan,Boss\nAnn,Paris,Boss\n",
                       "{\"on_duplicate\":\"merge\",\"match\":[[\"name\",\"city\"]]}");
    counts_are(r, 1, 1, 0, 0, 0);
    check_rebuild(w);
}

static void test_unique_fields_and_required_ones(void **state) {
    struct world *w = *state;
    create(w, "products", "{\"name\":\"One\",\"code\":\"P-1\"}");
    struct doc *r = import_text_of(
        w, "products", "name,code\nTwo,P-2\nOne again,P-1\nThree,P-2\n,P-4\nFour,\nFive,\n",
        "{\"columns\":{\"name\":\"name\",\"code\":\"code\"},\"match\":[\"name\"]}");
    counts_are(r, 3, 0, 0, 0, 3);
    assert_int_equal(doc_get(r, STR("refusals"))->count, 3);
    is_text(doc_get(r, STR("refusals"))->first, "column", "code");
    assert_int_equal(doc_get_int(doc_get(r, STR("refusals"))->first, "row", 0), 3);
}

static void test_records_by_their_number(void **state) {
    struct world *w = *state;
    int64_t id = create(w, "contacts", "{\"name\":\"Ann\",\"city\":\"Rome\"}");
    const char *csv =
        arena_printf(&w->arena, "id,name,city\n%lld,Anna,Turin\n99,Nobody,\n", (long long)id).p;
    struct doc *r = import_text_of(w, "contacts", csv,
                                   "{\"columns\":{\"id\":\"id\",\"name\":\"name\",\"city\":"
                                   "\"city\"},\"on_duplicate\":\"merge\"}");
    counts_are(r, 0, 1, 0, 0, 1);
    is_text(get(w, "contacts", id), "name", "Anna");
    // Never by guessing: in a file from elsewhere it is somebody else's number.
    maps_to(w, "contacts", "id,name\n1,Ann\n", "id", "external_id");
}

// ---------------------------------------------------------------- links

static void test_links_by_name(void **state) {
    struct world *w = *state;
    create(w, "companies", "{\"name\":\"Ácme S.A.\",\"external_id\":\"A-1\"}");
    create(w, "companies", "{\"name\":\"Twin\"}");
    create(w, "companies", "{\"name\":\"Twin\"}");
    create(w, "companies", "{\"name\":\"TWIN Ltd\"}");
    static const char csv[] = "name,company\n"
                              "a,Ácme S.A.\n"
                              "b,acme s.a.\n"
                              "c,a-1\n"
                              "d,Twin\n"
                              "e,twin ltd\n"
                              "f,Nowhere Inc\n"
                              "g,\n";
    struct doc *r = import_text_of(
        w, "contacts", csv,
        "{\"match\":[\"name\"],\"columns\":{\"name\":\"name\",\"company\":\"company\"}}");
    counts_are(r, 5, 0, 0, 0, 2);
    for (const char *name = "abc"; *name; name++) {
        char one[2] = {*name, 0};
        is_text(one_where(w, "contacts", "name", one), "company.name", "Ácme S.A.");
    }
    const struct doc *link = doc_get(r, STR("links"))->first;
    assert_int_equal(doc_get_int(link, "found", 0), 4);
    assert_int_equal(doc_get_int(link, "blank", 0), 1);
    is_text(doc_get(link, STR("missing"))->first, "value", "Nowhere Inc");
    is_text(doc_get(link, STR("missing"))->first, "did", "refused");
    r = import_text_of(w, "contacts", csv,
                       "{\"columns\":{\"name\":\"name\",\"company\":{\"field\":\"company\","
                       "\"missing\":\"empty\"}},"
                       "\"match\":[\"name\"]}");
    counts_are(r, 1, 0, 0, 5, 1);
    assert_true(doc_is_null(doc_get(one_where(w, "contacts", "name", "f"), STR("company"))));
}

static void test_missing_records_are_created_once(void **state) {
    struct world *w = *state;
    struct doc *r = import_text_of(
        w, "contacts",
        "name,company,town\na,New One,Lima\nb,new one,Cali\nc,Other,Quito\nd,\"x\ny\",Quito\n",
        "{\"columns\":{\"name\":\"name\",\"company\":{\"field\":\"company\",\"missing\":\"create\","
        "\"create\":{\"city\":\"{town}\",\"website\":\"https://{value:plain}.example/"
        "\",\"kind\":\"prospect\"}}}}");
    counts_are(r, 4, 0, 0, 0, 0);
    assert_int_equal(count_of(w, "companies"), 3);
    const struct doc *made = one_where(w, "companies", "name", "New One");
    is_text(made, "city", "Lima");
    is_text(made, "website", "https://new.one.example/");
    is_text(made, "kind", "prospect");
    const struct doc *link = doc_get(r, STR("links"))->first;
    assert_int_equal(doc_get_int(link, "created", 0), 3);
    assert_int_equal(doc_get_int(link, "found", 0), 1);
    is_text(one_where(w, "contacts", "name", "b"), "company.name", "New One");
    check_rebuild(w);
}

static void test_links_inside_the_file(void **state) {
    struct world *w = *state;
    struct doc *r = import_text_of(w, "companies",
                                   "name,parent,kind\n"
                                   "Child,Mother,customer\n"  // further down
                                   "Mother,Grandmother,\n"    // further down
                                   "Sister,mother,customer\n" // further up
                                   "Grandmother,,\n"
                                   "Orphan,Nobody,\n"    // nowhere: refused
                                   "Of orphan,Orphan,\n" // up, but refused
                                   "To bad,Bad,\n"       // down, and refused there
                                   "Bad,,no such kind\n",
                                   NULL);
    counts_are(r, 5, 0, 0, 0, 3);
    assert_int_equal(doc_get_int(r, "linked_later", 0), 3);
    is_text(one_where(w, "companies", "name", "Child"), "parent.name", "Mother");
    is_text(one_where(w, "companies", "name", "Mother"), "parent.name", "Grandmother");
    is_text(one_where(w, "companies", "name", "Sister"), "parent.name", "Mother");
    assert_true(doc_is_null(doc_get(one_where(w, "companies", "name", "To bad"), STR("parent"))));
    check_rebuild(w);
}

static void test_several_links_and_people(void **state) {
    struct world *w = *state;
    create(w, "levels", "{\"name\":\"L\"}");
    create(w, "users", "{\"name\":\"Ana Ruiz\",\"email\":\"ana@example.com\",\"level\":1}");
    create(w, "users", "{\"name\":\"Ben Low\",\"email\":\"ben@example.com\",\"level\":1}");
    struct doc *r = import_text_of(w, "tasks",
                                   "subject,owner,participants\n"
                                   "One,ana ruiz,Ana Ruiz; ben@example.com\n"
                                   "Two,ben@example.com,\n"
                                   "Three,Nobody,Ana Ruiz\n",
                                   NULL);
    counts_are(r, 2, 0, 0, 0, 1);
    const struct doc *one = one_where(w, "tasks", "subject", "One");
    is_text(one, "owner.name", "Ana Ruiz");
    assert_int_equal(doc_get(one, STR("participants"))->count, 2);
    is_text(one_where(w, "tasks", "subject", "Two"), "owner.name", "Ben Low");
}

// ---------------------------------------------------------------- values

static void test_replacements_templates_and_factors(void **state) {
    struct world *w = *state;
    struct doc *r =
        import_text_of(w, "companies",
                       "first,second,sector,revenue,ignored\n Ácme "
                       ",Norte,technolgy,1.5,x\nBeta,,technolgy,\"2,000.25\",\n",
                       "{\"language\":\"en\",\"columns\":{\"sector\":{\"field\":\"sector\","
                       "\"replace\":{\"technolgy\":\"technology\",\"x\":\"y\"}},"
                       "\"revenue\":{\"field\":\"revenue\",\"factor\":\"1000\"}},"
                       "\"set\":{\"name\":\"{first} "
                       "{second}\",\"email\":\"{first:plain}@x.example\",\"kind\":\"Customer\","
                       "\"tags\":\"a; b\"}}");
    counts_are(r, 2, 0, 0, 0, 0);
    const struct doc *a = one_where(w, "companies", "name", "Ácme Norte"),
                     *b = one_where(w, "companies", "name", "Beta");
    is_text(a, "sector", "technology");
    is_text(a, "revenue", "1500");
    is_text(a, "email", "acme@x.example");
    is_text(a, "kind", "customer");
    assert_int_equal(doc_get(a, STR("tags"))->count, 2);
    is_text(b, "revenue", "2000250");
    const struct doc *replaced = doc_get(r, STR("replaced"));
    assert_int_equal(replaced->count, 2);
    assert_int_equal(doc_get_int(replaced->first, "rows", -1), 2);
    assert_int_equal(doc_get_int(replaced->last, "rows", -1),
                     0); // told too: it was expected to be of use
}

static void test_money_and_blanks(void **state) {
    struct world *w = *state;
    struct doc *r = import_text_of(w, "products",
                                   "name,price,price.currency,description\n"
                                   "A,1234.567,USD,\"  kept \n as it is  \"\n"
                                   "\" B \",-5,,=SUM(1)\n"
                                   "C,,USD,'=SUM(1)\n"
                                   "D,1e3,USD,\n",
                                   NULL);
    counts_are(r, 3, 0, 0, 0, 1);
    is_text(one_where(w, "products", "name", "A"), "price.amount", "1234.567");
    is_text(one_where(w, "products", "name", "A"), "price.currency", "USD");
    is_text(one_where(w, "products", "name", "A"), "description", "  kept \n as it is  ");
    is_text(one_where(w, "products", "name", "B"), "price.currency", "EUR");
    is_text(one_where(w, "products", "name", "C"), "description", "=SUM(1)");
    // Blanks at the ends of one-line texts go, and are told; or stay, when the mapping says so.
    r = import_text_of(w, "products", "name\n\" E \"\n",
                       "{\"columns\":{\"name\":{\"field\":\"name\",\"trim\":false}}}");
    one_where(w, "products", "name", " E ");
}

static void test_values_that_cannot_be_read(void **state) {
    struct world *w = *state;
    static const char csv[] = "name,employees,country\nA,many,Peru\nB,12,Peru\n";
    counts_are(import_text_of(w, "companies", csv, NULL), 1, 0, 0, 0, 1);
    struct doc *r = import_text_of(w, "companies", csv,
                                   "{\"columns\":{\"name\":\"name\",\"employees\":{\"field\":"
                                   "\"employees\",\"invalid\":\"empty\"}}}");
    counts_are(r, 1, 0, 0, 1, 0);
    assert_true(doc_is_null(doc_get(one_where(w, "companies", "name", "A"), STR("employees"))));
    assert_int_equal(doc_get(r, STR("notes"))->count, 2); // that, and the column left alone
}

static void test_spreadsheets_keep_their_types(void **state) {
    struct world *w = *state;
    const char *path = arena_printf(&w->arena, "%s/in.xlsx", w->dir).p;
    struct xlsx_column columns[] = {{.name = STR("Name")},
                                    {.name = STR("Amount")},
                                    {.name = STR("Closing date")},
                                    {.name = STR("Probability")},
                                    {.name = STR("External number")}};
    struct xlsx_writer *x = NULL;
    struct error e = {0};
    must(xlsx_writer_open(path, STR("Deals"), columns, 5, &x, &e), &e);
    struct xlsx_cell cells[] = {{.type = XLSX_TEXT, .text = STR("Łódź ≠ \"x\"")},
                                {.type = XLSX_DECIMAL, .text = STR("1.234")},
                                {.type = XLSX_DATE, .text = STR("2026-04-03")},
                                {.type = XLSX_EMPTY},
                                {.type = XLSX_INTEGER, .integer = 4711}};
    must(xlsx_writer_row(x, cells, 5, &e), &e);
    must(xlsx_writer_finish(x, &e), &e);
    struct import *job = import_of(w, "opportunities", path, NULL);
    counts_are(run_import(w, job), 1, 0, 0, 0, 0);
    import_close(job);
    const struct doc *d = one_where(w, "opportunities", "name", "Łódź ≠ \"x\"");
    is_text(d, "amount.amount",
            "1.234"); // in Spanish "1.234" written by hand would be more than a thousand
    is_text(d, "closing_date", "2026-04-03");
    is_text(d, "external_id", "4711");
}

// ---------------------------------------------------------------- refused rows

static void test_refused_rows_come_back_as_a_file(void **state) {
    struct world *w = *state;
    const char *path = file_with(w, "r.csv",
                                 STR("name;email;note\nA;a@example.com;x\nB;broken;\"two\nlines; "
                                     "\"\"q\"\"\"\nC;also broken;=1\n"));
    struct import *job = import_of(w, "contacts", path, NULL);
    counts_are(run_import(w, job), 1, 0, 0, 0, 2);
    const char *refusals = import_errors_file(job);
    assert_non_null(refusals);
    // Corrected and imported again.
    struct import *again =
        import_of(w, "contacts", refusals,
                  "{\"columns\":{\"name\":\"name\",\"note\":\"notes\",\"email\":\"ignore\"}}");
    counts_are(run_import(w, again), 2, 0, 0, 0, 0);
    is_text(one_where(w, "contacts", "name", "B"), "notes", "two\nlines; \"q\"");
    is_text(one_where(w, "contacts", "name", "C"), "notes", "=1");
    assert_null(import_errors_file(again));
    import_close(again);
    struct str kept;
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    assert_true(import_errors_path(w->crm, conn, 1, true, &w->arena, &kept));
    assert_false(import_errors_path(w->crm, conn, 2, true, &w->arena, &kept));
    conn_close(conn);
    import_close(job);
    assert_int_equal(access(arena_dup(&w->arena, str_z(w->dir)), F_OK), 0);
}

// ---------------------------------------------------------------- one operation

static void test_one_operation_from_begin_to_end(void **state) {
    struct world *w = *state;
    create(w, "contacts", "{\"name\":\"Old\"}");
    struct doc *r = import_text_of(w, "contacts", "name,company\nAnn,Acme\nBob,Acme\n",
                                   "{\"columns\":{\"name\":\"name\",\"company\":{\"field\":"
                                   "\"company\",\"missing\":\"create\"}}}");
    int64_t operation = doc_get_int(r, "operation", -1), last = writer_position(crm_writer(w->crm));
    struct conn *conn;
    assert_int_equal(store_connect(crm_store(w->crm), STORE_READ, &conn, NULL), OK);
    struct event ev;
    struct error e = {0};
    int imported = 0, created = 0;
    for (int64_t at = operation; at <= last; at++) {
        must(history_get(conn, at, &w->arena, &ev, &e), &e);
        if (str_is(ev.module, "mappings"))
            continue; // remembered afterwards, by itself
        assert_int_equal(ev.operation, operation);
        assert_int_equal(ev.channel, CHANNEL_IMPORT);
        if (at == operation) {
            assert_true(str_is(ev.module, "imports"));
            assert_int_equal(ev.kind, KIND_CREATED);
        }
        created += ev.kind == KIND_CREATED && !str_is(ev.module, "imports");
        imported += ev.kind == KIND_IMPORTED;
    }
    conn_close(conn);
    assert_int_equal(created, 3);
    assert_int_equal(imported, 1);
    struct doc *import = get(w, "imports", doc_get_int(r, "id", 0));
    is_text(import, "state", "done");
    assert_int_equal(doc_get_int(import, "created", 0), 2);
    assert_int_equal(doc_get_int(import, "operation", 0), operation);
    assert_true(doc_is_null(doc_get(import, STR("progress"))));
    assert_false(is_alive(w, doc_get_int(r, "id", 0)));
    check_rebuild(w);
}

static void test_mappings_are_remembered(void **state) {
    struct world *w = *state;
    static const char *const mapping = "{\"columns\":{\"kto\":\"name\",\"skad\":{\"field\":"
                                       "\"city\",\"replace\":{\"W-wa\":\"Warszawa\"}}}}";
    import_text_of(w, "contacts", "kto,skad\nEwa,W-wa\n", mapping);
    struct import *job =
        import_of(w, "contacts", file_with(w, "n.csv", STR("Kto,Skąd\nJan,W-wa\n")), NULL);
    struct doc *about = NULL;
    struct error e = {0};
    must(import_describe(job, &w->arena, &about, &e), &e);
    is_text(about, "remembered", "in.csv");
    counts_are(run_import(w, job), 1, 0, 0, 0, 0);
    import_close(job);
    is_text(one_where(w, "contacts", "name", "Jan"), "city", "Warszawa");
    assert_int_equal(count_of(w, "mappings"), 1);
    // Other columns, other module: not that one.
    job = import_of(w, "contacts", file_with(w, "o.csv", STR("kto,skad,x\nJan,W-wa,1\n")), NULL);
    must(import_describe(job, &w->arena, &about, &e), &e);
    assert_true(doc_is_null(doc_get(about, STR("remembered"))));
    import_close(job);
}

// ---------------------------------------------------------------- long ones

#define MANY                                                                                       \
    12000 // enough that a thread that has to wait for a processor still stops it in the middle

static const char *many_rows(struct world *w) {
    struct buf csv = BUF_INIT(8 << 20);
    buf_z(&csv, "name,email,parent note,reports to\n");
    for (int i = 0; i < MANY; i++) // everybody reports to somebody further down, or up
        buf_printf(&csv, "Person %d,p%d@%s,x,Person %d\n", i, i,
                   i % 1000 == 999 ? "" : "example.com", i % 7 == 0 ? MANY - 1 - i : i / 2);
    const char *path = file_with(w, "many.csv", buf_view(&csv));
    buf_release(&csv);
    return path;
}

static int64_t boss_of(int64_t i) {
    return i % 7 == 0 ? MANY - 1 - i : i / 2;
}

// Without a good address, or a boss further up who was refused.
static bool is_refused(int64_t i) {
    return i % 1000 == 999 || (boss_of(i) < i && is_refused(boss_of(i)));
}

static int64_t how_many_refused(void) {
    int64_t n = 0;
    for (int64_t i = 0; i < MANY; i++)
        n += is_refused(i);
    return n;
}

static void everybody_is_there_once(struct world *w) {
    struct doc *all = all_where(w, "contacts", NULL, NULL);
    bool *there = calloc(MANY, sizeof *there);
    doc_each(d, all) {
        int64_t i = -1;
        struct str name = doc_get_text(d, "name");
        assert_true(str_int((struct str){name.p + 7, name.n - 7}, &i));
        assert_true(i >= 0 && i < MANY && !is_refused(i));
        if (there[i])
            fail_msg("Person %lld is there twice", (long long)i);
        there[i] = true;
        struct str boss = doc_get_text(doc_get(d, STR("reports_to")), "name");
        struct str expected = arena_printf(&w->arena, "Person %lld", (long long)boss_of(i));
        if (!str_eq(boss, is_refused(boss_of(i)) ? STR("") : expected))
            fail_msg("Person %lld reports to \"%.*s\"", (long long)i, STR_FMT(boss));
    }
    free(there);
    assert_int_equal(all->count, MANY - how_many_refused());
}

struct stopper {
    struct import *job;
    int64_t row;
    bool kill;
};

static void *stop_at(void *arg) {
    struct stopper *s = arg;
    for (;;) {
        struct import_progress p;
        import_progress(s->job, &p);
        if (p.row >= s->row)
            break;
        usleep(200);
    }
    if (s->kill)
        kill(getpid(), SIGKILL);
    import_cancel(s->job);
    return NULL;
}

static void test_stopped_and_continued(void **state) {
    struct world *w = *state;
    const char *path = many_rows(w);
    struct import *job = import_of(w, "contacts", path, NULL);
    struct stopper s = {.job = job, .row = 1200};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_at, &s), 0);
    struct doc *report = run_import(w, job);
    pthread_join(thread, NULL);
    is_text(report, "state", "stopped");
    int64_t rows = doc_get_int(report, "rows", 0), id = doc_get_int(report, "id", 0);
    assert_true(rows >= 1200 && rows < MANY);
    assert_int_equal(count_of(w, "contacts"), doc_get_int(report, "created", 0));
    is_text(get(w, "imports", id), "state", "stopped");
    import_close(job);
    job = import_of(w, "contacts", path, NULL);
    struct error e = {0};
    must(import_run(job, IMPORT_CONTINUE, &w->arena, &report, &e), &e);
    is_text(report, "state", "done");
    assert_int_equal(doc_get_int(report, "id", 0), id);
    assert_int_equal(doc_get_int(report, "rows", 0), MANY);
    assert_int_equal(doc_get_int(report, "refused", 0), how_many_refused());
    assert_int_equal(doc_get_int(report, "created", 0), MANY - how_many_refused());
    everybody_is_there_once(w);
    is_text(get(w, "imports", id), "state", "done");
    // All refused rows are in the one file.
    struct import *refusals = import_of(w, "contacts", import_errors_file(job), NULL);
    struct doc *dry = NULL;
    must(import_check(refusals, &w->arena, &dry, &e), &e);
    assert_int_equal(doc_get_int(dry, "rows", 0), how_many_refused());
    import_close(refusals);
    import_close(job);
    job = import_of(w, "contacts", path, NULL);
    assert_int_equal(import_run(job, IMPORT_CONTINUE, &w->arena, &report, &e), NOT_FOUND);
    import_close(job);
    check_rebuild(w);
}

static enum status begin_undoing(struct action *a, void *arg, struct error *e) {
    struct errand *g = arg;
    return undo_begin(a, g->subject, STR("test"), g, e);
}

static enum status go_on_undoing(struct action *a, void *arg, struct error *e) {
    struct errand *g = arg;
    enum status s = errand_get(a->write->conn, g->id, a->write->arena, g, e);
    return s ? s : errand_slice(a, g, e);
}

// What is being undone is not gone on with: the rows would be written that nobody puts back.
static void test_not_continued_while_it_is_undone(void **state) {
    struct world *w = *state;
    const char *path = many_rows(w);
    struct error e = {0};
    struct import *job = import_of(w, "contacts", path, NULL);
    struct stopper s = {.job = job, .row = 1200};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_at, &s), 0);
    struct doc *report = run_import(w, job);
    pthread_join(thread, NULL);
    is_text(report, "state", "stopped");
    int64_t there = count_of(w, "contacts");
    import_close(job);
    struct act act = {.viewer = &w->admin, .channel = CHANNEL_API, .operation = -1, .cause = -1};
    struct errand g = {.subject = doc_get_int(report, "operation", -1)};
    must(action_run(w->crm, &act, begin_undoing, &g, &e), &e);
    assert_int_equal(g.state, ERRAND_RUNNING);
    job = import_of(w, "contacts", path, NULL);
    assert_int_equal(import_run(job, IMPORT_CONTINUE, &w->arena, &report, &e), CONFLICT);
    assert_false(is_alive(w, doc_get_int(report, "id", 0))); // nothing of it stays
    assert_in_range(count_of(w, "contacts"), 1, there - 1);
    while (g.state == ERRAND_RUNNING)
        must(action_run(w->crm, &act, go_on_undoing, &g, &e), &e);
    assert_int_equal(count_of(w, "contacts"), 0);
    assert_int_equal(import_run(job, IMPORT_CONTINUE, &w->arena, &report, &e), NOT_FOUND);
    import_close(job);
}

// The process dies in the middle: what is there can be continued, exactly.
static void test_killed_and_continued(void **state) {
    struct world *w = *state;
    const char *path = many_rows(w);
    crm_close(w->crm);
    pid_t child = fork();
    if (child == 0) {
        world_open(w);
        struct import *job = import_of(w, "contacts", path, NULL);
        struct stopper s = {.job = job, .row = 800, .kill = true};
        pthread_t thread;
        pthread_create(&thread, NULL, stop_at, &s);
        run_import(w, job);
        _exit(0); // was too quick to be killed
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    world_open(w);
    is_text(get(w, "imports", 1), "state", "running"); // says the record; but
    assert_false(is_alive(w, 1));
    struct import *job = import_of(w, "contacts", path, NULL);
    struct doc *about = NULL, *report = NULL;
    struct error e = {0};
    must(import_describe(job, &w->arena, &about, &e), &e);
    assert_int_equal(doc_get(about, STR("earlier"))->count, 1);
    must(import_run(job, IMPORT_CONTINUE, &w->arena, &report, &e), &e);
    is_text(report, "state", "done");
    assert_int_equal(doc_get_int(report, "rows", 0), MANY);
    assert_int_equal(doc_get_int(report, "created", 0), MANY - how_many_refused());
    assert_true(doc_get_int(report, "continued_after", 0) >= 800);
    everybody_is_there_once(w);
    import_close(job);
    check_rebuild(w);
}

static struct {
    struct crm *crm;
    _Atomic bool committed, held;
} watched;

// Looks whether the import is held the moment its record can be seen, before anybody goes on. The search index and others
// commit, too, each on a thread of its own: what counts is the commit of the one that wrote.
static void watch(void *arg, struct str line) {
    (void)arg;
    static _Thread_local bool written;
    struct conn *conn;
    if (str_find(line, STR("m_imports")) >= 0 && str_find(line, STR("INSERT")) >= 0)
        written = true;
    if (!written || watched.committed || str_find(line, STR("commit ")) != 0)
        return;
    watched.committed = true;
    if (store_connect(crm_store(watched.crm), STORE_READ, &conn, NULL) == OK) {
        watched.held = import_is_alive(watched.crm, conn, 1);
        conn_close(conn);
    }
}

static struct store *wrap(struct store *inner) {
    return store_trace(inner, watch, NULL);
}

static void test_held_from_the_beginning(void **state) {
    struct world *w = *state;
    crm_close(w->crm);
    world_wrap = wrap;
    world_open(w);
    world_wrap = NULL;
    watched.crm = w->crm;
    import_text_of(w, "contacts", "name\nAna\nBeto\n", NULL);
    assert_true(watched.committed);
    assert_true(watched.held);
    assert_false(is_alive(w, 1));
}

// Somebody who saves without a pause while an import runs: the saves go between its slices.
#define SAVES 100000

struct saver {
    struct world *world;
    _Atomic bool stop;
    int64_t *positions;
    int64_t n;
};

static void *save_all_the_time(void *arg) {
    struct saver *s = arg;
    struct world *w = s->world;
    struct arena a = ARENA_INIT;
    struct doc *values = doc_object(&a);
    doc_set_str(&a, values, "name", STR("Meanwhile"));
    while (!s->stop && s->n < SAVES) {
        struct world_act act = {.module = "companies", .values = values};
        struct act by = {
            .viewer = &w->admin, .channel = CHANNEL_PAGE, .operation = -1, .cause = -1};
        if (action_run(w->crm, &by, world_do, &act, NULL) == OK)
            s->positions[s->n++] = by.operation;
    }
    arena_release(&a);
    return NULL;
}

static void test_saves_go_between_slices(void **state) {
    struct world *w = *state;
    struct import *job = import_of(w, "contacts", many_rows(w), NULL);
    struct saver s = {.world = w, .positions = calloc(SAVES, sizeof(int64_t))};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, save_all_the_time, &s), 0);
    struct doc *report = run_import(w, job);
    int64_t first = doc_get_int(report, "operation", -1),
            last = writer_position(crm_writer(w->crm)) - MANY / 4;
    s.stop = true;
    pthread_join(thread, NULL);
    import_close(job);
    int64_t between = 0;
    for (int64_t i = 0; i < s.n; i++)
        between += s.positions[i] > first && s.positions[i] < last;
    free(s.positions);
    assert_true(between >= 3);
    assert_int_equal(doc_get_int(report, "rows", 0), MANY);
}

static void test_nothing_to_do(void **state) {
    struct world *w = *state;
    int64_t before = writer_position(crm_writer(w->crm));
    struct import *job = import_of(w, "contacts", file_with(w, "h.csv", STR("name,email\n")),
                                   "{\"file\":{\"header\":true}}");
    struct doc *report = run_import(w, job);
    counts_are(report, 0, 0, 0, 0, 0);
    import_close(job);
    assert_int_equal(writer_position(crm_writer(w->crm)), before);
    // Without names of columns they are numbers.
    job = import_of(w, "contacts", file_with(w, "n.csv", STR("Ann,Rome\nBob,Oslo\n")),
                    "{\"file\":{\"header\":false},\"columns\":{\"1\":\"name\",\"2\":\"city\"}}");
    counts_are(run_import(w, job), 2, 0, 0, 0, 0);
    import_close(job);
    is_text(one_where(w, "contacts", "name", "Ann"), "city", "Rome");
}

#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)

int main(void) {
    crypto_start();
    const struct CMUnitTest tests[] = {
        T(test_columns_are_recognised),
        T(test_forms_of_numbers_and_dates_are_recognised),
        T(test_encodings_and_delimiters),
        T(test_what_is_no_table_is_refused),
        T(test_mappings_are_strict),
        T(test_rights),
        T(test_preview_shows_problems_where_they_are),
        T(test_duplicates),
        T(test_unique_fields_and_required_ones),
        T(test_records_by_their_number),
        T(test_links_by_name),
        T(test_missing_records_are_created_once),
        T(test_links_inside_the_file),
        T(test_several_links_and_people),
        T(test_replacements_templates_and_factors),
        T(test_money_and_blanks),
        T(test_values_that_cannot_be_read),
        T(test_spreadsheets_keep_their_types),
        T(test_refused_rows_come_back_as_a_file),
        T(test_one_operation_from_begin_to_end),
        T(test_mappings_are_remembered),
        T(test_stopped_and_continued),
        T(test_not_continued_while_it_is_undone),
        T(test_held_from_the_beginning),
        T(test_killed_and_continued),
        T(test_saves_go_between_slices),
        T(test_nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
