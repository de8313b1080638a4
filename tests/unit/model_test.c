// What the modules are, what administrators may change about them, and who may do what.
#include "test.h"

#include <dirent.h>
#include "formats/json.h"
#include "model/model.h"
#include "model/permission.h"

struct fixture {
    struct arena arena;
    const struct str *texts;
    size_t n;
};

static int setup(void **state) {
    static struct fixture f;
    f = (struct fixture){.arena = ARENA_INIT};
    f.n = model_builtin(&f.arena, &f.texts);
    *state = &f;
    return 0;
}

static int teardown(void **state) {
    arena_release(&((struct fixture *)*state)->arena);
    return 0;
}

static struct doc *json(struct fixture *f, const char *text) {
    struct doc *d;
    struct str copy = arena_str(&f->arena, str_z(text));
    for (size_t i = 0; i < copy.n; i++)
        if (copy.p[i] == '\'')
            ((char *)copy.p)[i] = '"';
    struct error error;
    if (json_parse(&f->arena, copy, NULL, &d, &error) != OK)
        fail_msg("not JSON: %s", copy.p);
    return d;
}

static struct model *built(struct fixture *f, const char *changes) {
    struct model *model = NULL;
    struct error error = {0};
    char text[700] = "";
    if (model_build(&model, f->texts, f->n, changes ? json(f, changes) : NULL, 7, &error) != OK)
        error_text(&error, text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(model->version, 7);
    return model;
}

static const struct field *field_at(const struct model *model, const char *module,
                                    const char *key) {
    return module_field(model_module(model, str_z(module)), str_z(key));
}

// ---------------------------------------------------------------- as built in

static void test_every_description_is_part_of_the_program(void **state) {
    struct fixture *f = *state;
    DIR *folder = opendir(CRONISTA_SOURCE_ROOT "/modules");
    assert_non_null(folder);
    size_t files = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        files += str_ends(str_z(entry->d_name), STR(".json"));
    closedir(folder);
    assert_int_equal(files, f->n);
}

static void test_built_in_modules(void **state) {
    struct fixture *f = *state;
    static const struct {
        int number;
        const char *key;
        bool system;
    } known[] = {
        {1, "companies", false},       {2, "contacts", false},       {3, "leads", false},
        {4, "opportunities", false},   {5, "cases", false},          {6, "products", false},
        {7, "tasks", false},           {20, "users", true},          {21, "fields", true},
        {22, "views", true},           {23, "imports", true},        {24, "levels", true},
        {25, "mappings", true},        {31, "activity_rules", true}, {32, "groups", true},
        {33, "profiles", true},        {34, "roles", true},          {40, "processes", true},
        {41, "lines", false},          {42, "consent_kinds", true},  {43, "consents", false},
        {44, "contact_groups", false}, {45, "shares", false},        {46, "calendars", true},
        {55, "sign_in_rules", true}};
    struct model *model = built(f, NULL);
    assert_int_equal(model->n_modules, sizeof known / sizeof *known);
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        assert_string_equal(m->key.p, known[i].key);
        assert_int_equal(m->number, known[i].number);
        assert_int_equal(m->system, known[i].system);
        assert_ptr_equal(model_module(model, m->key), m);
        assert_ptr_equal(model_module_numbered(model, m->number), m);
        assert_non_null(module_field(m, m->title));
    }
    assert_null(model_module(model, STR("nothing")));
    assert_null(model_module_numbered(model, 0));
    model_free(model);
}

static void test_fields_are_found_and_have_columns(void **state) {
    struct fixture *f = *state;
    struct model *model = built(f, NULL);
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        bool listed = false;
        for (size_t j = 0; j < m->n_fields; j++) {
            const struct field *field = &m->fields[j];
            const struct type *type = type_of(field->type);
            assert_ptr_equal(module_field(m, field->key), field);
            assert_int_equal(field->number, j);
            assert_int_equal(field->column_folded.n > 0, type->folded);
            assert_int_equal(field->column_second.n > 0, type->second);
            assert_true(m->table.n + field->column.n + 8 < 63); // names of indexes in PostgreSQL
            assert_false(field->own || field->own_label || field->change || field->removed);
            listed = listed || field->in_list;
            struct value_context context = {.currency = STR("EUR")};
            const struct doc *preset;
            assert_int_equal(field_preset(field, &context, 1, 0, &f->arena, &preset, NULL), OK);
            for (size_t k = 0; k < j; k++) {
                assert_false(str_eq(field_called(&f->arena, NULL, field),
                                    field_called(&f->arena, NULL, &m->fields[k])));
                assert_true(m->fields[k].order < field->order);
            }
        }
        assert_true(listed);
        assert_null(module_field(m, STR("nothing")));
        assert_null(module_field(m, STR("")));
    }
    assert_string_equal(field_at(model, "contacts", "city")->column.p, "f_city");
    assert_string_equal(field_at(model, "contacts", "city")->column_folded.p, "f_city__f");
    assert_string_equal(field_at(model, "contacts", "phone")->column_second.p, "f_phone__e");
    assert_string_equal(field_at(model, "opportunities", "amount")->column_second.p, "f_amount__c");
    assert_null(module_field(NULL, STR("x")));
    model_free(model);
}

static void test_types_by_name(void **state) {
    (void)state;
    for (int i = 0; i < TYPE_COUNT; i++) {
        enum field_type type;
        assert_true(field_type_find(str_z(field_type_name((enum field_type)i)), &type));
        assert_int_equal(type, i);
    }
    enum field_type type = TYPE_URL;
    assert_false(field_type_find(STR("nothing"), &type));
    assert_int_equal(type, TYPE_URL);
}

static void test_phases_have_probabilities(void **state) {
    struct model *model = built(*state, NULL);
    const struct field *stage = field_at(model, "opportunities", "stage");
    static const char *const keys[] = {"prospecting", "engaging", "qualification", "proposal",
                                       "negotiation", "won",      "lost"};
    assert_int_equal(stage->n_choices, 7);
    for (int i = 0; i < 7; i++)
        assert_string_equal(stage->choices[i].key.p, keys[i]);
    assert_int_equal(field_choice(stage, STR("won"))->percent, 100);
    assert_int_equal(field_choice(stage, STR("lost"))->percent, 0);
    assert_string_equal(field_choice(stage, STR("lost"))->tone.p, "lost");
    assert_null(field_choice(stage, STR("Won")));
    assert_int_equal(field_choice(field_at(model, "cases", "priority"), STR("high"))->percent, -1);
    model_free(model);
}

// ---------------------------------------------------------------- strictness

#define PLAIN "{'key':'name','label':'Name','type':'text','required':true,'fixed':true}"
#define MODULE(members, fields)                                                                    \
    "{'key':'things','number':9,'label':'Things','label_one':'Thing','icon':'box','title':'"       \
    "name'" members ",'fields':[" PLAIN fields "]}"

static void assert_refused(struct fixture *f, const char *text, const char *says) {
    char copy[2000];
    snprintf(copy, sizeof copy, "%s", text);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    struct str description = str_z(copy);
    struct model *model = NULL;
    struct error error = {0};
    enum status status = model_build(&model, &description, 1, NULL, 1, &error);
    char is[700] = "accepted";
    if (status) {
        assert_null(model);
        error_text(&error, is, sizeof is);
    } else {
        model_free(model);
    }
    if (!strstr(is, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, is, says);
    (void)f;
}

static void test_descriptions_are_read_strictly(void **state) {
    struct fixture *f = *state;
    assert_refused(f, MODULE("", ""), "accepted");
    assert_refused(f, MODULE(",'colour':'red'", ""), "modules/things.json: unknown member colour");
    assert_refused(f, MODULE(",'system':1", ""), "modules/things.json: system");
    assert_refused(f, MODULE(",'prefix':''", ""), "modules/things.json: prefix");
    assert_refused(f, MODULE(",'prefix':'T-'", ""), "a prefix needs a field number");
    assert_refused(f, MODULE(",'stage':'name'", ""), "the stage is no field of type choice");
    assert_refused(f, MODULE(",'sort':'nothing'", ""), "lists can't be sorted by that field");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','colour':1}"),
                   "modules/things.json: fields[1] a: unknown member colour");
    assert_refused(f, MODULE("", ",{'key':'a','type':'text'}"), "fields[1] a: label is missing");
    assert_refused(f, MODULE("", ",{'label':'A','type':'text'}"), "fields[1] : key is missing");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'string'}"), "fields[1] a: type");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','required':'yes'}"),
                   "fields[1] a: required");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','max':0}"), "a: max");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','max':2001}"), "maximum");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'date','max':5}"), "maximum");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'date','unique':true}"), "unique");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'link'}"), "things.a: target");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'link','target':'none'}"),
                   "things.a: target");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','target':'things'}"),
                   "things.a: target");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'text','belongs':true}"),
                   "belong");
    assert_refused(f, MODULE("", ",{'key':'a','label':'A','type':'json'}"), "own fields");
    assert_refused(
        f, MODULE("", ",{'key':'a','label':'A','type':'text','computed':true,'required':true}"),
        "required");
    assert_refused(
        f,
        MODULE("", ",{'key':'a','label':'A','type':'text'},{'key':'a','label':'B','type':'text'}"),
        "two fields have the same key");
    static const char *const keys[] = {"A",
                                       "1a",
                                       "a_",
                                       "a__b",
                                       "id",
                                       "owner",
                                       "module",
                                       "q",
                                       "a-b",
                                       "ó",
                                       "abcdefghijklmnopqrstuvwxyz1234567"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char text[1000];
        snprintf(text, sizeof text, MODULE("", ",{'key':'%s','label':'A','type':'text'}"), keys[i]);
        assert_refused(f, text, "A key has a to z");
    }
    assert_refused(f,
                   "{'key':'things','number':9,'label':'T','label_one':'T','icon':'box','title':'"
                   "subject','fields':["
                   "{'key':'subject','label':'S','type':'text','required':true,'fixed':true},"
                   "{'key':'name','label':'N','type':'text'}]}",
                   "things.name: key");
    assert_refused(
        f,
        "{'key':'things','number':9,'label':'T','label_one':'T','icon':'box','title':'a','fields':["
        "{'key':'a','label':'S','type':'text'}]}",
        "the title is no fixed, required field");
    assert_refused(f, "{'key':'things'", "is no JSON");
    assert_refused(f, "[]", "is no object");
    assert_refused(f, "{'key':'things','key':'things'}", "is no JSON");
}

static void test_choices_are_read_strictly(void **state) {
    struct fixture *f = *state;
#define LIST(choices) MODULE("", ",{'key':'a','label':'A','type':'choice','choices':" choices "}")
    assert_refused(f, LIST("[{'key':'x','label':'X','tone':'won','percent':5}]"), "accepted");
    assert_refused(f, LIST("[]"), "needs at least one value");
    assert_refused(f, LIST("{}"), "choices");
    assert_refused(f, LIST("[{'key':'x'}]"), "a.choices[0]: label is missing");
    assert_refused(f, LIST("[{'key':'x','label':'X','color':1}]"),
                   "a.choices[0]: unknown member color");
    assert_refused(f, LIST("[{'key':'X','label':'X'}]"), "The key “X”");
    assert_refused(f, LIST("[{'key':'x','label':'X','tone':'pink'}]"), "tone");
    assert_refused(f, LIST("[{'key':'x','label':'X','percent':101}]"), "percent");
    assert_refused(f, LIST("[{'key':'x','label':'X'},{'key':'x','label':'Y'}]"), "twice");
    assert_refused(f, LIST("[{'key':'x','label':'X','hidden':true}]"), "needs at least one value");
    assert_refused(
        f, MODULE("", ",{'key':'a','label':'A','type':'text','choices':[{'key':'x','label':'X'}]}"),
        "no list of values");
}

static void test_modules_do_not_clash(void **state) {
    struct fixture *f = *state;
    struct str two[] = {f->texts[0], f->texts[0]};
    struct model *model = NULL;
    struct error error;
    assert_int_equal(model_build(&model, two, 2, NULL, 1, &error), INVALID);
    assert_null(model);
}

static void test_half_a_description_is_refused(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->n; i++)
        for (size_t cut = 0; cut + 2 < f->texts[i].n; cut += 7) {
            struct str part = {f->texts[i].p, cut};
            struct model *model = NULL;
            assert_int_equal(model_build(&model, &part, 1, NULL, 1, NULL), INVALID);
            assert_null(model);
        }
}

// ---------------------------------------------------------------- changes

static void test_a_built_in_field_is_altered(void **state) {
    struct fixture *f = *state;
    struct model *model = built(
        f,
        "[{'id':3,'of_module':'contacts','key':'city','type':'text','label':'Ciudad','help':'Dónde "
        "vive',"
        "'position':1,'group':'Primero','required':true,'in_list':false,'max':30,'preset':'Cali',"
        "'hidden':null,'unique':null,'choices':null,'removed':false,'version':2,'name':'Ciudad'}]");
    const struct module *contacts = model_module(model, STR("contacts"));
    const struct field *city = module_field(contacts, STR("city"));
    assert_ptr_equal(city, &contacts->fields[0]);
    assert_int_equal(city->number, 0);
    assert_string_equal(city->label.p, "Ciudad");
    assert_string_equal(city->group.p, "Primero");
    assert_string_equal(city->preset.p, "Cali");
    assert_true(city->own_label && city->required && !city->in_list && city->indexed && !city->own);
    assert_int_equal(city->max, 30);
    assert_int_equal(city->change, 3);
    assert_string_equal(city->built_in->label.p, "City");
    assert_string_equal(city->column.p, "f_city");
    assert_string_equal(contacts->fields[1].key.p, "name");
    model_free(model);

    model = built(f, "[{'id':3,'of_module':'contacts','key':'city','label':'City','hidden':true,'"
                     "required':true},"
                     "{'id':4,'of_module':'contacts','key':'region','removed':true},"
                     "{'id':5,'of_module':'contacts','key':'country','label':'X','deleted_at':'"
                     "2026-05-01T00:00:00Z'}]");
    city = field_at(model, "contacts", "city");
    assert_true(city->hidden && !city->required && !city->in_list && !city->own_label);
    assert_true(field_at(model, "contacts", "region")->hidden);
    assert_true(field_at(model, "contacts", "region")->removed);
    assert_string_equal(field_at(model, "contacts", "country")->label.p, "Country");
    assert_int_equal(field_at(model, "contacts", "country")->change, 0);
    model_free(model);
}

static void test_choices_are_altered_and_none_is_lost(void **state) {
    struct model *model =
        built(*state, "[{'id':1,'of_module':'cases','key':'priority','choices':[{'key':'now','"
                      "label':'Ya','tone':'act'},"
                      "{'key':'high','label':'Alta'},{'key':'low','label':'Low','hidden':true}]}]");
    const struct field *priority = field_at(model, "cases", "priority");
    assert_int_equal(priority->n_choices, 5);
    assert_string_equal(priority->choices[0].key.p, "now");
    assert_string_equal(priority->choices[1].label.p, "Alta");
    assert_true(priority->choices[2].hidden);
    assert_string_equal(priority->choices[3].key.p, "urgent");
    assert_true(priority->choices[3].hidden);
    assert_true(field_choice(priority, STR("medium"))->hidden);
    model_free(model);
}

static void test_own_fields(void **state) {
    struct fixture *f = *state;
    struct model *model = built(
        f, "[{'id':1,'of_module':'contacts','key':'x_shoe','type':'decimal','label':'Shoe "
           "size','in_list':1,'ungrouped':true},"
           "{'id':2,'of_module':'contacts','key':'x_house','type':'link','target':'companies','"
           "label':'House',"
           "'belongs':true,'position':15,'personal':true},"
           "{'id':3,'of_module':'contacts','key':'x_colour','type':'choices','label':'Colours',"
           "'choices':[{'key':'red','label':'Red'},{'key':'blue','label':'Blue'}],'personal':true},"
           "{'id':4,'of_module':'contacts','key':'x_gone','type':'text','label':'Gone','required':"
           "true,"
           "'deleted_at':'2026-05-01T00:00:00Z'},"
           "{'id':5,'of_module':'leads','key':'x_shoe','type':'text','label':'Shoe "
           "size','removed':true},"
           "{'id':6,'of_module':'contacts','key':'x_debt','type':'money','label':'Debt'},"
           "{'id':7,'of_module':'contacts','key':'x_fee','type':'money','label':'Fee','summed':"
           "false}]");
    const struct module *contacts = model_module(model, STR("contacts"));
    const struct field *shoe = module_field(contacts, STR("x_shoe"));
    assert_true(shoe->own && shoe->own_label && shoe->in_list && shoe->change == 1 &&
                !shoe->built_in);
    assert_false(shoe->ungrouped || shoe->summed);              // means nothing for it
    assert_true(module_field(contacts, STR("x_debt"))->summed); // unless it says otherwise
    assert_false(module_field(contacts, STR("x_fee"))->summed);
    assert_true(field_at(model, "opportunities", "amount")->summed);
    assert_false(field_at(model, "products", "price")->summed);
    assert_string_equal(shoe->column.p, "f_x_shoe");
    assert_string_equal(shoe->group.p, "More");
    const struct field *house = module_field(contacts, STR("x_house"));
    assert_true(house->belongs && house->number == 1); // after the name, which has order 10
    assert_false(house->personal); // what older records say of links means nothing
    assert_true(module_field(contacts, STR("x_colour"))->personal);
    assert_int_equal(module_field(contacts, STR("x_colour"))->n_choices, 2);
    const struct field *gone = module_field(contacts, STR("x_gone"));
    assert_true(gone->removed && gone->hidden && !gone->required);
    assert_true(field_at(model, "leads", "x_shoe")->removed);
    assert_true(shoe->number < module_field(contacts, STR("x_colour"))->number);
    assert_int_equal(contacts->fields[contacts->n_fields - 1].change, 7);
    assert_true(field_key_allowed(contacts, STR("x_new")));
    assert_false(field_key_allowed(contacts, STR("x_shoe")));
    assert_false(field_key_allowed(contacts, STR("x_gone")));
    assert_false(field_key_allowed(contacts, STR("city")));
    assert_false(field_key_allowed(contacts, STR("y_new")));
    assert_false(field_key_allowed(contacts, STR("x_")));
    assert_false(field_key_allowed(contacts, STR("x_a;drop")));
    model_free(model);
}

static void test_many_own_fields_are_found(void **state) {
    struct fixture *f = *state;
    struct buf text = BUF_INIT(1 << 20);
    buf_char(&text, '[');
    for (int i = 0; i < 200; i++)
        buf_printf(&text, "%s{'id':%d,'of_module':'tasks','key':'x_f%d','type':'text','label':'F'}",
                   i ? "," : "", i + 1, i);
    buf_char(&text, ']');
    struct model *model = built(f, text.p);
    for (int i = 0; i < 200; i++) {
        char key[20];
        snprintf(key, sizeof key, "x_f%d", i);
        const struct field *field = field_at(model, "tasks", key);
        assert_non_null(field);
        assert_int_equal(field->change, i + 1);
    }
    assert_null(field_at(model, "tasks", "x_f200"));
    model_free(model);
    buf_release(&text);
}

// One change that must be refused, both when it is checked and when a model is built with it.
static void assert_no_change(struct fixture *f, const char *change, const char *member) {
    struct model *model = built(f, NULL), *changed = NULL;
    struct error error = {0};
    struct doc *d = json(f, change), *list = doc_array(&f->arena);
    doc_add(list, d);
    if (model_check_change(model, d, &error) == OK)
        fail_msg("taken: %s", change);
    assert_string_equal(error.field, member);
    error = (struct error){0};
    if (model_build(&changed, f->texts, f->n, list, 1, &error) == OK)
        fail_msg("built: %s", change);
    assert_null(changed);
    assert_string_equal(error.field, member);
    model_free(model);
}

static void test_changes_that_are_refused(void **state) {
    struct fixture *f = *state;
#define OWN(rest) "{'of_module':'contacts','key':'x_a','type':'text','label':'A'" rest "}"
    static const struct {
        const char *change, *member;
    } refused[] = {
        {"{'of_module':'nothing','key':'x_a','type':'text','label':'A'}", "of_module"},
        {"{'of_module':'users','key':'x_a','type':'text','label':'A'}", "of_module"},
        {"{'of_module':'contacts','key':'a','type':'text','label':'A'}", "key"},
        {"{'of_module':'contacts','key':'x_A','type':'text','label':'A'}", "key"},
        {"{'of_module':'contacts','key':'x_a','type':'varchar','label':'A'}", "type"},
        {"{'of_module':'contacts','key':'x_a','label':'A'}", "type"},
        {"{'of_module':'contacts','key':'x_a','type':'json','label':'A'}", "type"},
        {"{'of_module':'contacts','key':'x_a','type':'text'}", "label"},
        {"{'of_module':'contacts','key':'x_a','type':'text','label':5}", "label"},
        {"{'of_module':'contacts','key':'x_a','type':'choice','label':'A'}", "choices"},
        {"{'of_module':'contacts','key':'x_a','type':'choice','label':'A','choices':'a'}",
         "choices"},
        {"{'of_module':'contacts','key':'x_a','type':'choice','label':'A','choices':[{'key':'a'}]}",
         "choices"},
        {"{'of_module':'contacts','key':'x_a','type':'choice','label':'A','choices':[{'key':'a','"
         "label':'A','x':1}]}",
         "choices"},
        {"{'of_module':'contacts','key':'x_a','type':'link','label':'A'}", "target"},
        {"{'of_module':'contacts','key':'x_a','type':'link','label':'A','target':'users'}",
         "target"},
        {OWN(",'required':'yes'"), "required"},
        {OWN(",'position':-1"), "position"},
        {OWN(",'max':5000"), "max"},
        {OWN(",'belongs':true"), "belongs"},
        {"{'of_module':'contacts','key':'x_a','type':'date','label':'A','unique':true}", "unique"},
        {"{'of_module':'contacts','key':'name','hidden':true}", "hidden"},
        {"{'of_module':'contacts','key':'name','removed':true}", "removed"},
        {"{'of_module':'contacts','key':'name','required':false}", "required"},
        {"{'of_module':'contacts','key':'name','type':'long_text'}", "type"},
        {"{'of_module':'contacts','key':'company','target':'leads'}", "target"},
        {"{'of_module':'cases','key':'number','unique':false}", "unique"},
        {"{'of_module':'opportunities','key':'expected','required':true}", "required"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_no_change(f, refused[i].change, refused[i].member);
    struct model *model = NULL;
    assert_int_equal(
        model_build(&model, f->texts, f->n,
                    json(f, "[{'id':1,'of_module':'contacts','key':'city','label':'A'},"
                            "{'id':2,'of_module':'contacts','key':'city','label':'B'}]"),
                    1, NULL),
        INVALID);
    assert_null(model);
}

static void assert_checked(struct fixture *f, const struct model *model, const char *change,
                           const char *member) {
    struct error error = {0};
    enum status status = model_check_change(model, json(f, change), &error);
    assert_string_equal(status ? error.field : "good", member);
}

static void test_edits_keep_what_stands(void **state) {
    struct fixture *f = *state;
    struct model *model =
        built(f, "[{'id':1,'of_module':'contacts','key':'email','label':'Correo','required':true},"
                 "{'id':2,'of_module':'contacts','key':'x_a','type':'choice','label':'A',"
                 "'choices':[{'key':'a','label':'A'},{'key':'b','label':'B'}]},"
                 "{'id':3,'of_module':'contacts','key':'x_gone','type':'text','label':'Gone','"
                 "removed':true}]");
    // What was tightened may be loosened again, down to how it was built.
    assert_checked(f, model,
                   "{'of_module':'contacts','key':'x_of','type':'link','target':'companies',"
                   "'label':'Of','personal':true}",
                   "personal");
    assert_checked(f, model,
                   "{'of_module':'contacts','key':'x_who','type':'user','label':'Who',"
                   "'personal':true}",
                   "personal");
    assert_checked(f, model, "{'id':1,'of_module':'contacts','key':'email','required':false}",
                   "good");
    assert_checked(f, model, "{'id':1,'of_module':'leads','key':'email'}", "of_module");
    assert_checked(f, model, "{'id':1,'of_module':'contacts','key':'city'}", "key");
    assert_checked(f, model, "{'id':0,'of_module':'contacts','key':'email','label':'E'}", "key");
    assert_checked(f, model, "{'of_module':'contacts','key':'x_gone','type':'text','label':'New'}",
                   "key");
    assert_checked(f, model,
                   "{'id':3,'of_module':'contacts','key':'x_gone','type':'text','label':'Back'}",
                   "good");
    assert_checked(f, model,
                   "{'id':3,'of_module':'contacts','key':'x_gone','type':'date','label':'Back'}",
                   "type");
#define AB(choices)                                                                                \
    "{'id':2,'of_module':'contacts','key':'x_a','type':'choice','label':'A','choices':[" choices   \
    "]}"
    assert_checked(f, model, AB("{'key':'a','label':'A'}"), "choices");
    assert_checked(f, model,
                   AB("{'key':'b','label':'Be'},{'key':'a','label':'A','hidden':true},{'key':'c','"
                      "label':'C'}"),
                   "good");
    assert_checked(f, model,
                   "{'id':2,'of_module':'contacts','key':'x_b','type':'choice','label':'A','"
                   "choices':[{'key':'a','label':'A'},"
                   "{'key':'b','label':'B'}]}",
                   "key");
    assert_checked(
        f, model, "{'of_module':'contacts','key':'x_d','type':'date','label':'D','preset':'today'}",
        "good");
    assert_checked(
        f, model,
        "{'of_module':'contacts','key':'x_d','type':'date','label':'D','preset':'31/12/2026'}",
        "preset");
    assert_checked(
        f, model,
        "{'of_module':'contacts','key':'x_d','type':'date','label':'D','preset':'31/12/2026',"
        "'removed':true}",
        "good");
    // A JSON value that has not been opened.
    struct doc *raw = json(f, "{'of_module':'contacts','key':'x_r','type':'choice','label':'R'}");
    doc_set(raw, STR("choices"), doc_raw(&f->arena, STR("[{\"key\":\"a\",\"label\":\"A\"}]")));
    assert_int_equal(model_check_change(model, raw, NULL), OK);
    model_free(model);
}

// ---------------------------------------------------------------- who may do what

static void test_profiles_by_name(void **state) {
    for (int i = PROFILE_READ_ONLY; i <= PROFILE_ADMINISTRATOR; i++)
        assert_int_equal(profile_find(profile_key(&((struct fixture *)*state)->arena, i)), i);
    struct str key = profile_key(&((struct fixture *)*state)->arena, PROFILE_CUSTOM + 7);
    assert_true(str_is(key, "p7"));
    assert_int_equal(profile_find(key), PROFILE_CUSTOM + 7);
    assert_int_equal(profile_find(STR("p0")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("p")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("p-3")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("p99999999999")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("none")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("")), PROFILE_NONE);
    assert_int_equal(profile_find(STR("Administrator")), PROFILE_NONE);
}

static void test_who_may_do_what(void **state) {
    struct model *model = built(*state, NULL);
    // One letter for each verb, in their order: View Create Edit Delete eRase aNonymise Import
    // eXport bulK-delete bulk-dupLicate Fields(design) Audit Users Self Public
    static const char letters[] = "VCEDRNIXKLFAUSP";
    static const struct {
        const char *module;
        const char *nobody, *read_only, *member, *administrator;
    } rows[] = {{NULL, "P", "VSP", "VCEDXKLSP", "VCEDRNIXKLFAUSP"},
                {"contacts", "P", "VSP", "VCEDXKLSP", "VCEDRNIXKLFAUSP"},
                {"tasks", "P", "VSP", "VCEDXKLSP", "VCEDRNIXKLFAUSP"},
                {"users", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"levels", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"groups", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"activity_rules", "", "", "", "VCEDRNIXKLAUSP"},
                {"sign_in_rules", "", "", "", "VCEDRNIXKLAUSP"},
                {"processes", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"consent_kinds", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"calendars", "", "V", "V", "VCEDRNIXKLAUSP"},
                {"lines", "P", "VSP", "VCEDXKLSP", "VCEDRNIXKLFAUSP"},
                {"views", "", "V", "VCED", "VCEDRNIXKLAUSP"},
                {"roles", "", "", "", "VCEDRNIXKLAUSP"},
                {"profiles", "", "", "", "VCEDRNIXKLAUSP"},
                {"fields", "", "", "", "VCEDRNIXKLAUSP"},
                {"imports", "", "", "", "VCEDRNIXKLAUSP"},
                {"mappings", "", "", "", "VCEDRNIXKLAUSP"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const allowed[] = {rows[i].nobody, rows[i].read_only, rows[i].member,
                                       rows[i].administrator};
        const struct module *m = rows[i].module ? model_module(model, str_z(rows[i].module)) : NULL;
        for (int profile = PROFILE_NONE; profile <= PROFILE_ADMINISTRATOR; profile++) {
            struct viewer viewer = {.user = 5, .profile = (enum profile)profile};
            char is[20] = "";
            size_t n = 0;
            for (int verb = VERB_VIEW; verb <= VERB_PUBLIC; verb++)
                if (may(&viewer, m, (enum verb)verb))
                    is[n++] = letters[verb];
            assert_string_equal(is, allowed[profile]);
        }
    }
    struct viewer given = {.user = 5, .profile = PROFILE_MEMBER, .erases = true};
    assert_true(may(&given, model_module(model, STR("contacts")), VERB_ERASE));
    assert_false(may(&given, model_module(model, STR("users")), VERB_ERASE));
    given.profile = PROFILE_READ_ONLY;
    assert_false(may(&given, model_module(model, STR("contacts")), VERB_ERASE));
    given = (struct viewer){.user = 5, .profile = PROFILE_MEMBER, .anonymises = true};
    assert_true(may(&given, model_module(model, STR("contacts")), VERB_ANONYMISE));
    assert_false(may(&given, model_module(model, STR("contacts")), VERB_ERASE));
    assert_false(may(&given, model_module(model, STR("users")), VERB_ANONYMISE));
    given.profile = PROFILE_READ_ONLY;
    assert_false(may(&given, model_module(model, STR("contacts")), VERB_ANONYMISE));
    assert_true(may(NULL, NULL, VERB_PUBLIC));
    assert_false(may(NULL, NULL, VERB_SELF));
    struct viewer forged = {.user = 5, .profile = (enum profile)9};
    assert_false(may(&forged, NULL, VERB_PUBLIC));
    model_free(model);
}

static bool can(const struct viewer *v, const struct model *model, const char *module,
                enum verb verb) {
    return may(v, module ? model_module(model, str_z(module)) : NULL, verb);
}

// Each module has its three fields in `profiles`, and what the records there say holds.
static void test_profiles_that_administrators_make(void **state) {
    struct fixture *f = *state;
    struct model *model = built(
        f, "[{'id':1,'of_module':'contacts','key':'x_shoe','type':'integer','label':'Shoe size'}]");
    for (size_t i = 0; i < model->n_modules; i++) {
        const struct module *m = &model->modules[i];
        char key[80];
        for (int k = 0; k < 3; k++) {
            snprintf(key, sizeof key, "%s%.*s", (const char *[]){"", "hidden_", "locked_"}[k],
                     STR_FMT(m->key));
            const struct field *field = field_at(model, "profiles", key);
            assert_int_equal(field != NULL, !m->system && !m->part);
        }
    }
    const struct field *hidden = field_at(model, "profiles", "hidden_contacts");
    assert_non_null(field_choice(hidden, STR("x_shoe")));
    assert_null(field_choice(hidden, STR("name"))); // it names the record
    assert_true(str_is(field_called(&f->arena, NULL, hidden), "Contacts: fields not shown"));
    assert_true(
        str_is(field_called(&f->arena, NULL, field_at(model, "profiles", "contacts")), "Contacts"));

    model_profiles(model,
                   json(f, "[{'id':2,'name':'Sales','audits':true,'deleted_at':null,"
                           "'contacts':['view','create','edit','bulk_delete','settings'],"
                           "'hidden_contacts':['phone','x_shoe'],'locked_contacts':['email'],"
                           "'cases':['view','everyone'],'leads':['edit','everyone']},"
                           "{'id':3,'name':'Gone','deleted_at':'2026-01-01T00:00:00.000000Z',"
                           "'contacts':['view']},"
                           "{'id':5,'name':'Half','audits':true,'deleted_at':null,"
                           "'cases':['view','everyone','edit_everyone','edit']},"
                           "{'id':6,'name':'Auditor','audits':true,'deleted_at':null,"
                           "'companies':['view','everyone'],'contacts':['view','everyone'],"
                           "'leads':['view','everyone'],'opportunities':['view','everyone'],"
                           "'cases':['view','everyone'],'products':['view','everyone'],"
                           "'tasks':['view','everyone'],'contact_groups':['view','everyone']},"
                           "{'id':7,'name':'Blind','deleted_at':null,'companies':['everyone']}]"));
    struct viewer v = {.user = 5};
    viewer_set_profile(&v, model, profile_find(STR("p2")));
    assert_true(can(&v, model, NULL, VERB_SELF) && can(&v, model, NULL, VERB_VIEW));
    assert_false(can(&v, model, NULL, VERB_USERS) || can(&v, model, NULL, VERB_DELETE));
    assert_false(can(&v, model, NULL, VERB_AUDIT)); // not everyone's contacts
    assert_true(can(&v, model, "contacts", VERB_VIEW) && can(&v, model, "contacts", VERB_EDIT) &&
                can(&v, model, "contacts", VERB_DESIGN));
    assert_false(can(&v, model, "contacts", VERB_DELETE) || // so not many at once either
                 can(&v, model, "contacts", VERB_BULK_DELETE) ||
                 can(&v, model, "contacts", VERB_EXPORT) ||
                 can(&v, model, "contacts", VERB_IMPORT));
    assert_true(can(&v, model, "cases", VERB_VIEW));
    assert_false(can(&v, model, "cases", VERB_EDIT));
    assert_false(can(&v, model, "leads", VERB_EDIT)); // what can't be seen can't be edited
    assert_false(can(&v, model, "companies", VERB_VIEW));
    assert_true(can(&v, model, "users", VERB_VIEW) && can(&v, model, "views", VERB_CREATE));
    assert_false(can(&v, model, "users", VERB_EDIT) || can(&v, model, "profiles", VERB_VIEW) ||
                 can(&v, model, "users", VERB_DESIGN));
    // Consents belong to contacts and leads, lines to deals.
    assert_true(can(&v, model, "consents", VERB_VIEW) && can(&v, model, "consents", VERB_EDIT));
    assert_false(can(&v, model, "lines", VERB_VIEW));
    const struct module *contacts = model_module(model, STR("contacts")),
                        *cases = model_module(model, STR("cases"));
    assert_false(may_field(&v, contacts, module_field(contacts, STR("phone")), false));
    assert_false(may_field(&v, contacts, module_field(contacts, STR("x_shoe")), false));
    assert_true(may_field(&v, contacts, module_field(contacts, STR("email")), false));
    assert_false(may_field(&v, contacts, module_field(contacts, STR("email")), true));
    assert_true(may_field(&v, contacts, module_field(contacts, STR("city")), true));
    assert_false(may_everyones(&v, contacts, VERB_VIEW));
    assert_true(may_everyones(&v, cases, VERB_VIEW));
    assert_false(may_everyones(&v, cases, VERB_EDIT));
    viewer_set_profile(&v, model, profile_find(STR("p5")));
    assert_false(can(&v, model, NULL, VERB_AUDIT)); // not all modules
    assert_true(may_everyones(&v, cases, VERB_EDIT));
    viewer_set_profile(&v, model, profile_find(STR("p6")));
    assert_true(can(&v, model, NULL, VERB_AUDIT));
    viewer_set_profile(&v, model, profile_find(STR("p7")));
    assert_false(may_everyones(&v, model_module(model, STR("companies")), VERB_VIEW));
    for (int id = 3; id < 12; id++) { // gone, or never there
        viewer_set_profile(&v, model, PROFILE_CUSTOM + id);
        assert_true(can(&v, model, NULL, VERB_SELF));
        if (id < 5 || id > 7)
            assert_false(can(&v, model, "contacts", VERB_VIEW) || can(&v, model, NULL, VERB_VIEW));
    }
    const struct field *chosen = field_at(model, "users", "profile");
    assert_true(str_is(field_choice(chosen, STR("p2"))->label, "Sales"));
    assert_true(field_choice(chosen, STR("p3"))->hidden);
    model_free(model);
}

static void test_fields_and_records_people_may_see(void **state) {
    struct model *model = built(*state, NULL);
    const struct module *users = model_module(model, STR("users")),
                        *deals = model_module(model, STR("opportunities")),
                        *views = model_module(model, STR("views"));
    struct viewer admin = {.user = 1, .profile = PROFILE_ADMINISTRATOR},
                  member = {.user = 5, .profile = PROFILE_MEMBER},
                  reader = {.user = 6, .profile = PROFILE_READ_ONLY}, nobody = {0};
    const struct field *name = module_field(users, STR("name")),
                       *profile = module_field(users, STR("profile"));
    assert_true(may_field(&member, users, name, false));
    assert_false(may_field(&member, users, name, true));
    assert_false(may_field(&member, users, profile, false));
    assert_true(may_field(&admin, users, profile, true));
    assert_false(may_field(&nobody, users, name, false));
    const struct field *amount = module_field(deals, STR("amount")),
                       *expected = module_field(deals, STR("expected"));
    assert_true(may_field(&member, deals, amount, true));
    assert_true(may_field(&reader, deals, amount, false));
    assert_false(may_field(&reader, deals, amount, true));
    assert_true(may_field(&reader, deals, expected, false));
    assert_false(may_field(&admin, deals, expected, true));

    assert_true(
        may_record(&member, views, &(struct record_facts){.owner = 5, .shared = false}, VERB_EDIT));
    assert_false(
        may_record(&member, views, &(struct record_facts){.owner = 6, .shared = true}, VERB_EDIT));
    assert_true(
        may_record(&member, views, &(struct record_facts){.owner = 6, .shared = true}, VERB_VIEW));
    assert_false(
        may_record(&member, views, &(struct record_facts){.owner = 6, .shared = false}, VERB_VIEW));
    assert_false(
        may_record(&reader, views, &(struct record_facts){.owner = 6, .shared = false}, VERB_EDIT));
    assert_true(
        may_record(&reader, views, &(struct record_facts){.owner = 5, .shared = true}, VERB_VIEW));
    assert_true(may_record(&admin, views, &(struct record_facts){.owner = 6, .shared = false},
                           VERB_DELETE));
    assert_true(may_record(&member, deals, &(struct record_facts){.owner = 99, .shared = false},
                           VERB_EDIT));
    assert_false(
        may_record(&nobody, views, &(struct record_facts){.owner = 0, .shared = true}, VERB_VIEW));
    model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_description_is_part_of_the_program),
        cmocka_unit_test(test_built_in_modules),
        cmocka_unit_test(test_fields_are_found_and_have_columns),
        cmocka_unit_test(test_types_by_name),
        cmocka_unit_test(test_phases_have_probabilities),
        cmocka_unit_test(test_descriptions_are_read_strictly),
        cmocka_unit_test(test_choices_are_read_strictly),
        cmocka_unit_test(test_modules_do_not_clash),
        cmocka_unit_test(test_half_a_description_is_refused),
        cmocka_unit_test(test_a_built_in_field_is_altered),
        cmocka_unit_test(test_choices_are_altered_and_none_is_lost),
        cmocka_unit_test(test_own_fields),
        cmocka_unit_test(test_many_own_fields_are_found),
        cmocka_unit_test(test_changes_that_are_refused),
        cmocka_unit_test(test_edits_keep_what_stands),
        cmocka_unit_test(test_profiles_by_name),
        cmocka_unit_test(test_who_may_do_what),
        cmocka_unit_test(test_profiles_that_administrators_make),
        cmocka_unit_test(test_fields_and_records_people_may_see),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
