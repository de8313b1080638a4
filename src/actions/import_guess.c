// Which field a column is meant for, by what it is called in any of four languages, and by what it holds.
#include "actions/import_private.h"

#include "formats/catalogue.h"
#include "formats/fold.h"
#include "records/rows.h"

// Other names of fields, folded, parted by commas. English, Spanish, Polish, Romanian.
static const struct {
    const char *field, *names;
} synonyms[] = {
    {"name",
     "full name,nombre,nombre completo,nombre y apellidos,nazwa,imie i nazwisko,nume,nume complet,"
     "nume si prenume,denumire,title"},
    {"subject", "title,name,asunto,titulo,temat,tytul,subiect,titlu"},
    {"company",
     "company,company name,account,account "
     "name,organisation,organization,customer,client,empresa,cuenta,"
     "cliente,compania,razon social,firma,spolka,klient,nazwa firmy,companie,societate,client"},
    {"company_name",
     "company,account,organisation,organization,empresa,compania,firma,spolka,companie,societate"},
    {"contact", "contact,contact name,person,contacto,persona,persona de "
                "contacto,kontakt,osoba,osoba kontaktowa,"
                "persoana,persoana de contact"},
    {"email",
     "email,mail,e mail,email address,e-mail address,correo,correo electronico,direccion de correo,"
     "adres e-mail,adres email,poczta,adresa de e-mail,adresa email,posta electronica"},
    {"email_other",
     "email 2,other email,second email,correo 2,otro correo,drugi e-mail,alt e-mail"},
    {"phone", "phone,phone number,telephone,tel,telefono,numero de telefono,telefon,numer "
              "telefonu,numar de telefon"},
    {"mobile", "mobile,mobile phone,cell,cell phone,movil,telefono movil,celular,komorka,telefon "
               "komorkowy,mobil,"
               "telefon mobil"},
    {"position", "position,job,job title,title,role,cargo,puesto,stanowisko,functie,pozitie"},
    {"website", "website,web,web site,web page,url,site,sitio web,pagina web,strona,strona "
                "www,www,pagina de internet"},
    {"address", "address,street,direccion,domicilio,calle,adres,ulica,adresa,strada"},
    {"postcode", "postcode,postal code,zip,zip code,codigo postal,cp,kod pocztowy,kod,cod postal"},
    {"city", "city,town,ciudad,poblacion,localidad,municipio,miasto,miejscowosc,oras,localitate"},
    {"region",
     "region,state,province,county,provincia,departamento,estado,wojewodztwo,judet,regiune"},
    {"country", "country,pais,kraj,panstwo,tara"},
    {"office_location",
     "office location,headquarters,location,sede,ubicacion,siedziba,lokalizacja,sediu"},
    {"sector", "sector,industry,industria,giro,branza,sektor,domeniu,domeniu de activitate"},
    {"parent", "parent,parent company,parent account,subsidiary of,empresa matriz,matriz,filial "
               "de,spolka matka,"
               "companie mama,filiala a"},
    {"employees", "employees,number of employees,staff,empleados,numero de "
                  "empleados,pracownicy,liczba pracownikow,"
                  "angajati,numar de angajati"},
    {"revenue",
     "revenue,annual revenue,turnover,ingresos,facturacion,przychod,obrot,obroty,venit,cifra de "
     "afaceri"},
    {"year_established",
     "year established,founded,ano de fundacion,fundada,rok zalozenia,anul infiintarii"},
    {"tax_number", "tax number,tax id,vat,vat number,nif,cif,nit,ruc,rut,nip,regon,cui,cod fiscal"},
    {"identity_number",
     "identity number,id number,dni,nie,cedula,documento,pesel,cnp,numer dowodu"},
    {"birthday",
     "birthday,birth date,date of birth,cumpleanos,fecha de nacimiento,urodziny,data urodzenia,"
     "data nasterii,zi de nastere"},
    {"treatment", "treatment,salutation,form of address,tratamiento,zwrot,forma de adresare"},
    {"owner", "owner,responsible,person in charge,assigned to,agent,sales agent,sales "
              "rep,propietario,responsable,"
              "encargado,asignado "
              "a,comercial,vendedor,agente,asesor,opiekun,wlasciciel,handlowiec,odpowiedzialny,"
              "responsabil,agent de vanzari,proprietar"},
    {"manager", "manager,supervisor,boss,jefe,gerente,kierownik,przelozony,sef,director"},
    {"office", "office,regional office,branch,oficina,sucursal,biuro,oddzial,birou,filiala"},
    {"stage", "stage,phase,deal stage,pipeline stage,status,fase,etapa,estado,etap,faza,status"},
    {"status", "status,state,estado,stan,stare,stadiu"},
    {"amount", "amount,value,deal value,close "
               "value,price,importe,valor,monto,total,kwota,wartosc,suma,valoare"},
    {"price", "price,sales price,list price,unit price,precio,precio de venta,cena,cena "
              "sprzedazy,pret,pret de vanzare"},
    {"cost", "cost,coste,costo,koszt"},
    {"product", "product,product name,producto,articulo,produkt,towar,produs,articol"},
    {"code", "code,sku,product code,reference,codigo,referencia,clave,kod,symbol,cod,referinta"},
    {"category", "category,categoria,kategoria,categorie"},
    {"series", "series,serie,seria"},
    {"stock", "stock,quantity in stock,existencias,inventario,stan magazynowy,stoc"},
    {"closing_date",
     "closing date,close date,expected close date,fecha de cierre,cierre,data zamkniecia,"
     "data inchiderii"},
    {"closed_on", "closed on,closed at,cerrado el,zamknieto,inchis la"},
    {"engage_date",
     "engage date,engaged on,start date,fecha de inicio,data rozpoczecia,data inceperii"},
    {"source", "source,lead source,origen,fuente,zrodlo,sursa"},
    {"interest", "interest,interes,zainteresowanie"},
    {"priority", "priority,prioridad,priorytet,prioritate"},
    {"type", "type,kind,tipo,clase,typ,rodzaj,tip"},
    {"kind", "type,kind,tipo,clase,typ,rodzaj,tip"},
    {"due", "due,due date,deadline,vence,vencimiento,fecha limite,termin,data scadenta,scadenta"},
    {"description", "description,details,descripcion,detalle,opis,szczegoly,descriere,detalii"},
    {"notes",
     "notes,remarks,comments,notas,observaciones,comentarios,uwagi,notatki,observatii,note"},
    {"tags", "tags,labels,etiquetas,tagi,etykiety,etichete"},
    {"language", "language,idioma,lengua,jezyk,limba"},
    {"external_id",
     "id,external id,record id,external number,crm id,identificador,codigo externo,identyfikator,"
     "numer zewnetrzny,identificator,numar extern,opportunity id,account id,contact id,lead "
     "id,case id"},
};

enum { CERTAIN = 100, LABEL = 90, SYNONYM = 70, OF_MODULE = 80, PART = 40, CONTENT = 20 };

// A name with everything but letters and digits as one blank.
static struct str words_of(struct str name, struct arena *a) {
    struct str folded = fold_str(a, name);
    char *out = arena_bytes(a, folded.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++) {
        char c = folded.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
        if (word)
            out[n++] = c;
        else if (n && out[n - 1] != ' ')
            out[n++] = ' ';
    }
    while (n && out[n - 1] == ' ')
        n--;
    return (struct str){out, n};
}

static bool same_words(struct str a, struct str b, struct arena *arena) {
    return str_eq(a, words_of(b, arena));
}

static bool has_word(struct str words, struct str one) {
    while (words.n) {
        struct str word = str_cut(&words, ' ');
        if (str_eq(word, one))
            return true;
    }
    return false;
}

static int by_synonym(struct str words, struct str key, struct arena *a) {
    int best = 0;
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (!str_is(key, synonyms[i].field))
            continue;
        struct str names = str_z(synonyms[i].names);
        for (int place = 0; names.n; place++) {
            struct str name = words_of(str_cut(&names, ','), a);
            int score = str_eq(words, name) ? SYNONYM : 0;
            if (!score && !memchr(name.p, ' ', name.n) && name.n > 3 && has_word(words, name))
                score = PART;
            best = score > best ? score : best;
        }
    }
    return best;
}

static int by_name(const struct import *job, const struct field *f, struct str words,
                   struct arena *a) {
    const struct module *m = job->module;
    const struct catalogue *said = job->viewer->local.words;
    if (same_words(words, f->key, a))
        return CERTAIN;
    if (same_words(words, f->label, a) || same_words(words, catalogue_text(said, f->label), a))
        return LABEL;
    if (str_eq(f->key, m->title) &&
        (same_words(words, m->label_one, a) ||
         same_words(words, catalogue_text(said, m->label_one), a) ||
         by_synonym(words, m->label_one, a) ||
         (str_is(m->key, "companies") && by_synonym(words, STR("company"), a) == SYNONYM) ||
         (str_is(m->key, "products") && by_synonym(words, STR("product"), a) == SYNONYM)))
        return OF_MODULE;
    return by_synonym(words, f->key, a);
}

// ---------------------------------------------------------------- by what is in it

static bool looks_like(enum field_type type, struct str s) {
    if (type == TYPE_EMAIL)
        return s.n > 5 && memchr(s.p, '@', s.n) && memchr(s.p, '.', s.n) && !memchr(s.p, ' ', s.n);
    if (type == TYPE_URL)
        return str_starts(s, STR("http://")) || str_starts(s, STR("https://")) ||
               str_starts(s, STR("www."));
    if (type != TYPE_PHONE || s.n < 9 || s.n > 24)
        return false;
    size_t digits = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] >= '0' && s.p[i] <= '9')
            digits++;
        else if (!strchr("+()-. /", s.p[i]))
            return false;
    }
    return digits >= 7 && (s.p[0] == '+' || digits < s.n);
}

static int by_content(const struct import *job, size_t column, const struct field *f) {
    size_t alike = 0, n = job->n_samples[column];
    if (f->type != TYPE_EMAIL && f->type != TYPE_URL && f->type != TYPE_PHONE)
        return 0;
    for (size_t i = 0; i < n; i++)
        alike += looks_like(f->type, job->samples[column][i]);
    return n && alike * 10 >= n * 7 ? CONTENT : 0;
}

// ---------------------------------------------------------------- forms of numbers and dates

// "13/05/2026" can only be dmy, "05/13/2026" only mdy; "" when nothing tells, or both do.
const char *guess_dates(const struct import *job, size_t column) {
    bool dmy = false, mdy = false;
    for (size_t i = 0; i < job->n_samples[column]; i++) {
        struct str s = job->samples[column][i];
        int64_t first, second;
        size_t at = 0;
        while (at < s.n && !strchr("./-", s.p[at]))
            at++;
        if (at == 0 || at > 2 || at >= s.n || !str_int((struct str){s.p, at}, &first))
            continue;
        size_t from = ++at;
        while (at < s.n && !strchr("./-", s.p[at]))
            at++;
        if (at - from > 2 || at >= s.n || !str_int((struct str){s.p + from, at - from}, &second))
            continue;
        dmy = dmy || first > 12;
        mdy = mdy || second > 12;
    }
    return dmy && !mdy ? "dmy" : mdy && !dmy ? "mdy" : "";
}

// The decimal point of a column: the last separator of numbers that can't be one between thousands.
const char *guess_point(const struct import *job, size_t column) {
    bool point = false, comma = false;
    for (size_t i = 0; i < job->n_samples[column]; i++) {
        struct str s = job->samples[column][i];
        size_t end = s.n, digits = 0;
        while (end && !(s.p[end - 1] >= '0' && s.p[end - 1] <= '9'))
            end--;
        while (end && s.p[end - 1] >= '0' && s.p[end - 1] <= '9') {
            end--;
            digits++;
        }
        char before = end ? s.p[end - 1] : 0;
        bool other = end && memchr(s.p, before == '.' ? ',' : '.', end);
        if ((before != '.' && before != ',') || (digits == 3 && !other))
            continue;
        point = point || before == '.';
        comma = comma || before == ',';
    }
    return point && !comma ? "." : comma && !point ? "," : "";
}

static struct doc *rule_doc(const struct import *job, size_t column, const struct field *f,
                            struct arena *a) {
    bool number = f->type == TYPE_MONEY || f->type == TYPE_DECIMAL || f->type == TYPE_INTEGER;
    bool day = f->type == TYPE_DATE || f->type == TYPE_DATETIME;
    const char *form = number ? guess_point(job, column) : day ? guess_dates(job, column) : "";
    if (!*form)
        return doc_str(a, f->key);
    struct doc *rule = doc_object(a);
    doc_set_str(a, rule, "field", f->key);
    if (number)
        doc_set_z(a, rule, "point", form);
    else
        doc_set_z(a, rule, "dates", form);
    return rule;
}

// ---------------------------------------------------------------- the whole

// A file that a program wrote, Cronista itself say: columns named by the keys of fields, numbers and dates in plain form.
static bool of_program(const struct import *job) {
    size_t keys = 0;
    for (size_t c = 0; c < job->n_columns; c++) {
        struct str rest = job->columns[c], key = str_cut(&rest, '.');
        const struct field *f = any_field(job->module, key);
        if (!f || (rest.n && !str_is(rest, "id") && !str_is(rest, "currency")))
            return false;
        keys++;
    }
    return keys > 1 || (keys == 1 && job->n_columns == 1);
}

struct doc *mapping_guess(struct import *job, const struct doc *base, const char **guesses,
                          struct arena *a) {
    const struct module *m = job->module;
    size_t nf = m->n_fields + 1;
    int *scores = arena_array(a, int, job->n_columns *nf + 1);
    const struct field **chosen = arena_array(a, const struct field *, job->n_columns + 1);
    bool *taken = arena_array(a, bool, nf);
    for (size_t c = 0; c < job->n_columns; c++) {
        struct str words = words_of(job->columns[c], a);
        for (size_t i = 0; i < nf; i++) {
            const struct field *f = i < m->n_fields ? &m->fields[i] : import_owner_field();
            if (!import_field(m, f->key) || f->hidden || f->type == TYPE_JSON ||
                (f->number >= 0 && !may_field(job->viewer, m, f, true)) ||
                (m->system && i == m->n_fields))
                continue;
            int score = by_name(job, f, words, a);
            scores[c * nf + i] = score ? score : by_content(job, c, f);
        }
    }
    // A name that is known to mean one field does not mean another one by a word of it ("e-mail address").
    for (size_t c = 0; c < job->n_columns; c++) {
        int best = 0;
        for (size_t i = 0; i < nf; i++)
            best = scores[c * nf + i] > best ? scores[c * nf + i] : best;
        for (size_t i = 0; i < nf && best >= SYNONYM; i++)
            if (scores[c * nf + i] < SYNONYM)
                scores[c * nf + i] = 0;
    }
    for (;;) { // the surest pair first; of equal ones the leftmost column and the first field
        size_t best = SIZE_MAX;
        for (size_t at = 0; at < job->n_columns * nf; at++)
            if (!chosen[at / nf] && !taken[at % nf] && scores[at] &&
                (best == SIZE_MAX || scores[at] > scores[best]))
                best = at;
        if (best == SIZE_MAX)
            break;
        size_t i = best % nf;
        chosen[best / nf] = i < m->n_fields ? &m->fields[i] : import_owner_field();
        taken[i] = true;
        guesses[best / nf] = scores[best] == CONTENT ? "content" : "name";
    }
    struct doc *mapping = base ? doc_copy(a, base) : doc_object(a);
    doc_replace(mapping, STR("module"), doc_str(a, m->key));
    bool own = of_program(job);
    if (own && !doc_get(mapping, STR("language")))
        doc_set_z(a, mapping, "language", "none");
    struct doc *columns = doc_object(a);
    for (size_t c = 0; c < job->n_columns; c++) {
        struct str name = job->columns[c];
        struct str money = {name.p, name.n - (str_ends(name, STR(".currency")) ? 9 : 0)};
        const struct field *f = own ? import_field(m, money) : NULL;
        struct doc *rule = doc_str(a, STR("ignore"));
        if (chosen[c])
            rule = own ? doc_str(a, chosen[c]->key) : rule_doc(job, c, chosen[c], a);
        else if (f && f->type == TYPE_MONEY && money.n < name.n)
            rule = doc_str(a, name);
        doc_set(columns, name, rule);
    }
    doc_replace(mapping, STR("columns"), columns);
    return mapping;
}
