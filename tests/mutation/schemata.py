# SPDX-License-Identifier: BSL-1.0
"""Faults for a header, and a copy of the header in which each of them sits behind a switch.

A fault is an edit of the text that leaves the rest alone: `a < b` becomes `::listenq_fault::lt(N, a, b)`, which is
`a <= b` when fault N is on. So all faults of all headers fit into one build. What must be known to place them, where an
expression begins and ends, comes from libclang, which sees templates before they are instantiated, too.

Left alone is what is decided at compile time: constexpr variables, `if constexpr`, static_assert, concepts, template
arguments, enumerators, case labels. There `on` could not be asked.
"""
import bisect
import dataclasses
import re

import clang.cindex
from clang.cindex import CursorKind as K

# operator: name of the function in fault.hpp, what the faulty one is
OPERATORS = {"<": ("lt", "<="), "<=": ("le", "<"), ">": ("gt", ">="), ">=": ("ge", ">"), "+": ("plus", "-"),
             "-": ("minus", "+"), "*": ("times", "+"), "/": ("divided", "*"), "%": ("rest", "/"), "<<": ("left", ">>"),
             ">>": ("right", "<<"), "&": ("both", "|"), "|": ("either", "&"), "^": ("differ", "&")}
COMPILE_TIME = {K.CONCEPT_DECL, K.REQUIRES_EXPR, K.STATIC_ASSERT, K.ENUM_DECL, K.TYPE_ALIAS_DECL, K.CXX_UNARY_EXPR,
                K.TYPE_ALIAS_TEMPLATE_DECL, K.TEMPLATE_NON_TYPE_PARAMETER, K.TEMPLATE_TYPE_PARAMETER, K.TYPE_REF,
                K.TEMPLATE_REF, K.CONCEPT_SPECIALIZATION_EXPR, K.USING_DECLARATION, K.PARM_DECL, K.MEMBER_REF,
                K.NAMESPACE_REF}
FUNCTIONS = {K.FUNCTION_DECL, K.CXX_METHOD, K.FUNCTION_TEMPLATE, K.CONSTRUCTOR, K.DESTRUCTOR, K.CONVERSION_FUNCTION,
             K.LAMBDA_EXPR}
RECORDS = {K.CLASS_DECL, K.STRUCT_DECL, K.CLASS_TEMPLATE, K.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION}
JUMPS = {K.BREAK_STMT, K.CONTINUE_STMT}
INTEGER = re.compile(r"(0[xX][0-9a-fA-F']+|0[bB][01']+|[0-9][0-9']*)[uUlLzZ]*$")


@dataclasses.dataclass
class Fault:
    file: str    # below include/listenq
    line: int
    text: str    # the line, stripped
    change: str  # `right -> faulty`
    name: str = ""
    rule: str = ""
    number: int = -1

    @property
    def key(self):
        return self.file, self.text, self.change


def squeeze(text, most=90):
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most - 3] + "..."


class Header:
    """Collects the faults of one header, numbered from `first` on."""

    def __init__(self, file, text, faults, first=0):
        self.file, self.text, self.faults, self.next = file, text, faults, first
        self.lines = [0]
        for match in re.finditer(r"\n", text):
            self.lines.append(match.end())
        self.wraps = []     # (start, end, order, before, after)
        self.replaced = []  # (start, end, text)
        self.seen = set()

    # --- edits ----------------------------------------------------------------------------------------------------

    def fault(self, at, change, name="", rule=""):
        line = bisect.bisect_right(self.lines, at)
        end = self.text.find("\n", at)
        text = self.text[self.lines[line - 1]:end if end >= 0 else len(self.text)].strip()
        made = Fault(self.file, line, text, change, name, rule, self.next)
        self.next += 1
        self.faults.append(made)
        return made.number

    def wrap(self, start, end, before, after):
        self.wraps.append((start, end, len(self.wraps), before, after))

    def changed(self):
        """The text with all edits. Of those that begin or end at one place, the wider one is the outer one."""
        inserts = {}
        for start, end, order, before, after in self.wraps:
            inserts.setdefault(start, []).append((1, -end, order, before))
            inserts.setdefault(end, []).append((0, -start, -order, after))
        cuts = {start: (end, text) for start, end, text in self.replaced}
        out, at = [], 0
        for place in sorted(set(inserts) | set(cuts)):
            out.append(self.text[at:place])
            at = place
            out.extend(edit[3] for edit in sorted(inserts.get(place, [])))
            if place in cuts:
                at, text = cuts[place]
                out.append(text)
        out.append(self.text[at:])
        text = "".join(out)
        return text.replace("#pragma once\n", "#pragma once\n#include <listenq_fault.hpp>\n", 1)

    # --- places ---------------------------------------------------------------------------------------------------

    def named(self, name, find, put, rule):
        """A fault written by hand. `find` is one expression, or statements with their semicolon, and stands once."""
        if self.text.count(find) != 1:
            raise SystemExit(f"faults.toml: {name}: `{squeeze(find)}` stands {self.text.count(find)} times in "
                             f"{self.file}")
        start = self.text.index(find)
        n = self.fault(start, f"{squeeze(find)} -> {squeeze(put)}", name, rule)
        if find.rstrip().endswith((";", "}")):
            self.wrap(start, start + len(find), f"{{ if (::listenq_fault::on({n})) {{ {put} }} else {{ ", " } }")
        else:
            # It has the same ends as faults of the expression itself, and must be outside them.
            before = f"(::listenq_fault::on({n}) ? ({put}) : ("
            self.wraps.append((start, start + len(find), -len(self.wraps), before, "))"))

    @staticmethod
    def span(cursor):
        return cursor.extent.start.offset, cursor.extent.end.offset

    def source(self, cursor):
        start, end = self.span(cursor)
        return self.text[start:end]

    def condition(self, cursor):
        start, end = self.span(cursor)
        if (start, end, "condition") in self.seen:
            return
        self.seen.add((start, end, "condition"))
        self.seen.update({(start, end, "=="), (start, end, "!=")})  # the same faults again
        what = squeeze(self.text[start:end], 60)
        yes, no = self.fault(start, f"{what} -> true"), self.fault(start, f"{what} -> false")
        self.wrap(start, end, f"(((", f") || ::listenq_fault::on({yes})) && !::listenq_fault::on({no}))")

    def statements(self, cursors):
        for cursor in cursors:
            if cursor.kind in JUMPS or cursor.kind.is_expression():
                if self.text[cursor.extent.end.offset:].lstrip().startswith(";"):
                    self.statement(cursor)

    def statement(self, cursor):
        start, end = self.span(cursor)
        text = self.text[start:end]
        if cursor.kind in JUMPS:
            n = self.fault(start, f"{text}; -> (nothing)")
            self.wrap(start, end, f"if (!::listenq_fault::on({n})) ", "")
        elif not text.startswith(("static_cast<void>", "(void)", "[")):
            n = self.fault(start, f"{squeeze(text)}; -> (nothing)")
            self.wrap(start, end, f"(::listenq_fault::on({n}) ? void() : void((", ")))")

    def operator(self, cursor, children):
        first, last = children[0], children[-1]
        begin, end = first.extent.end.offset, last.extent.start.offset
        if begin >= end or self.span(cursor) != (first.extent.start.offset, last.extent.end.offset):
            return
        between = self.text[begin:end]
        op = between.strip()
        start, stop = self.span(cursor)
        if (start, stop, op) in self.seen:
            return
        left, right = squeeze(self.source(first), 60), squeeze(self.source(last), 60)
        if op in ("==", "!="):
            self.seen.add((start, stop, op))
            n = self.fault(begin, f"{left} {op} {right} -> {left} {'!=' if op == '==' else '=='} {right}")
            self.wrap(start, stop, "((", f") != ::listenq_fault::on({n}))")
        elif op in ("&&", "||"):
            self.seen.add((start, stop, op))
            a = self.fault(begin, f"{left} {op} {right} -> {right}")
            b = self.fault(begin, f"{left} {op} {right} -> {left}")
            neutral = "|| ::listenq_fault::on({})" if op == "&&" else "&& !::listenq_fault::on({})"
            self.wrap(*self.span(first), "(static_cast<bool>(", f") {neutral.format(a)})")
            self.wrap(*self.span(last), "(static_cast<bool>(", f") {neutral.format(b)})")
        elif op in OPERATORS:
            self.seen.add((start, stop, op))
            name, other = OPERATORS[op]
            n = self.fault(begin, f"{left} {op} {right} -> {left} {other} {right}")
            self.wrap(start, stop, f"::listenq_fault::{name}({n}, ", ")")
            self.replaced.append((begin, end, ", "))
        elif op == ",":
            for side in (first, last):
                if self.source(side).strip().endswith(")") or "=" in self.source(side):
                    self.statement(side)

    def literal(self, cursor):
        start, end = self.span(cursor)
        text = self.text[start:end]
        if (start, end, "literal") in self.seen:
            return
        self.seen.add((start, end, "literal"))
        if text in ("true", "false"):
            n = self.fault(start, f"{text} -> {'false' if text == 'true' else 'true'}")
            self.wrap(start, end, "(", f" != ::listenq_fault::on({n}))")
        elif INTEGER.match(text):
            n = self.fault(start, f"{text} -> {text} + 1")
            self.wrap(start, end, f"::listenq_fault::plus_one({n}, ", ")")

    def enumerator(self, cursor):
        referenced = cursor.referenced
        if referenced is None or referenced.kind != K.ENUM_CONSTANT_DECL:
            return
        all_names = [c.spelling for c in referenced.semantic_parent.get_children() if c.kind == K.ENUM_CONSTANT_DECL]
        start, end = self.span(cursor)
        text = self.text[start:end]
        if len(all_names) < 2 or not text.endswith(referenced.spelling) or (start, end, "enum") in self.seen:
            return
        self.seen.add((start, end, "enum"))
        other = all_names[(all_names.index(referenced.spelling) + 1) % len(all_names)]
        other = text[:-len(referenced.spelling)] + other
        n = self.fault(start, f"{text} -> {other}")
        self.wrap(start, end, f"(::listenq_fault::on({n}) ? {other} : ", ")")

    def returned(self, cursor, result):
        children = list(cursor.get_children())
        if not children:
            return
        start, end = self.span(children[0])
        text = self.text[start:end]
        if result == "bool" and not re.search(r"^(true|false)$|[<>=&|]", text):  # those have faults of their own
            n = self.fault(start, f"return {squeeze(text)} -> return !({squeeze(text)})")
            self.wrap(start, end, "(static_cast<bool>(", f") != ::listenq_fault::on({n}))")
        elif re.fullmatch(r"(std::)?(u?int(8|16|32|64)_t|size_t|int|unsigned int|unsigned)|instant|duration|seq_number",
                          result) and not text.startswith("{") and not INTEGER.match(text):
            n = self.fault(start, f"return {squeeze(text)} -> return {squeeze(text)} + 1")
            self.wrap(start, end, f"::listenq_fault::plus_one<{result}>({n}, ", ")")

    def designated(self, cursor):
        """`{.field = value}`: the value is forgotten."""
        for child in cursor.get_children():
            start, end = self.span(child)
            match = re.match(r"\.(\w+)\s*=\s*(?=[^={\s])", self.text[start:end])
            if not match:
                continue
            value = start + match.end()
            if (value, end, "blank") in self.seen:
                continue
            self.seen.add((value, end, "blank"))
            text = self.text[value:end]
            if INTEGER.match(text) or text in ("true", "false", "nullptr"):
                continue
            n = self.fault(start, f".{match[1]} = {squeeze(text)} -> (nothing)")
            self.wrap(value, end, f"::listenq_fault::blank({n}, ", ")")

    # --- the walk -------------------------------------------------------------------------------------------------

    def visit(self, cursor, result=""):
        kind = cursor.kind
        if kind in COMPILE_TIME:
            return
        children = list(cursor.get_children())
        if kind in FUNCTIONS:
            result = "" if kind == K.LAMBDA_EXPR else cursor.result_type.spelling
            for child in children:
                if child.kind == K.COMPOUND_STMT and self.source(child).startswith("{"):
                    self.visit(child, result)
            return
        if kind == K.UNEXPOSED_DECL or (kind in RECORDS and not children):
            return  # a template of a variable
        if kind in RECORDS:
            children = [c for c in children if not c.kind.is_expression()]  # its requires-clause is one
        if kind in (K.VAR_DECL, K.FIELD_DECL):
            start, end = self.span(cursor)
            name = cursor.location.offset
            if re.search(r"\b(constexpr|constinit)\b", self.text[start:name]):
                return
            if kind == K.FIELD_DECL and not cursor.spelling.endswith("_"):
                return  # a record: whoever makes one names what matters
            bounds = name + len(re.match(r"\w+(\[[^\]]*\])*", self.text[name:])[0])  # of an array
            children = [c for c in children if c.extent.start.offset >= bounds]
            if kind == K.FIELD_DECL:
                # Only what the value is, and no bit-field's width.
                children = [c for c in children if re.fullmatch(r"[^=:]*=\s*", self.text[name:c.extent.start.offset])]
        if kind == K.IF_STMT:
            if re.match(r"if\s+constexpr\b", self.source(cursor)):
                children = children[1:]
            elif children and children[0].kind.is_expression():
                self.condition(children[0])
            self.statements(children)
        elif kind == K.CONDITIONAL_OPERATOR and len(children) == 3:
            sides = re.fullmatch(r"(.+?) [<>] (.+)", self.source(children[0]))
            if sides and set(sides.groups()) == {self.source(c) for c in children[1:]}:
                self.seen.update({(*self.span(children[0]), "<"), (*self.span(children[0]), ">")})  # of equals, either
            self.condition(children[0])
        elif kind == K.SWITCH_STMT:
            body = children[-1]
            last = list(body.get_children())[-1:]
            if last and last[0].kind == K.BREAK_STMT:  # the end comes next anyway
                self.seen.add((*self.span(last[0]), "last"))
        elif kind == K.COMPOUND_STMT:
            self.statements([c for c in children if (*self.span(c), "last") not in self.seen])
        elif kind in (K.FOR_STMT, K.WHILE_STMT, K.CXX_FOR_RANGE_STMT):
            self.statements(children[-1:])
        elif kind == K.CASE_STMT:
            children = children[1:]
        elif kind == K.RETURN_STMT:
            self.returned(cursor, result)
        elif kind in (K.INTEGER_LITERAL, K.CXX_BOOL_LITERAL_EXPR):
            self.literal(cursor)
            return
        elif kind == K.DECL_REF_EXPR:
            self.enumerator(cursor)
            return
        elif kind == K.MEMBER_REF_EXPR:
            children = [c for c in children[:1] if c.extent.end.offset <= cursor.location.offset]
        elif kind in (K.CXX_STATIC_CAST_EXPR, K.CXX_REINTERPRET_CAST_EXPR, K.CXX_CONST_CAST_EXPR):
            children = children[-1:]
        elif kind == K.INIT_LIST_EXPR:
            self.designated(cursor)
        elif kind in (K.BINARY_OPERATOR, K.CALL_EXPR, K.UNEXPOSED_EXPR) and len(children) >= 2:
            self.operator(cursor, sorted(children, key=lambda c: c.extent.start.offset))
        for child in children:
            self.visit(child, result)


def parse(source, arguments):
    index = clang.cindex.Index.create()
    unit = index.parse(str(source), args=["-xc++", "-std=c++20", "-w", *arguments])
    errors = [d for d in unit.diagnostics if d.severity >= clang.cindex.Diagnostic.Error]
    if errors:
        raise SystemExit("\n".join(map(str, errors[:5])))
    return unit


def walk(unit, headers):
    """Visits what the unit declares in these headers: a map from full path to Header."""
    def declarations(cursor):
        for child in cursor.get_children():
            file = child.location.file
            header = headers.get(file.name) if file else None
            if header is None:
                continue
            if child.kind == K.NAMESPACE:
                yield from declarations(child)
            else:
                yield header, child
    for header, cursor in declarations(unit.cursor):
        header.visit(cursor)
