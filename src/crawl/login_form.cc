#include "crawl/login_form.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/ascii.h"
#include "text/charset.h"
#include "text/html_tree.h"

namespace magpie::crawl {
namespace {

enum class FieldKind { kFixed, kText, kPassword, kButton };

struct Field {
  std::string name, value;
  FieldKind kind = FieldKind::kFixed;
};

std::string type_of(HtmlNode node) { return ascii_lowered(node.attribute("type")); }

bool is_password(HtmlNode node) { return node.is("input") && type_of(node) == "password"; }

/// The option that is chosen, else the first.
std::string value_of_select(HtmlNode select) {
  HtmlNode chosen;
  for (HtmlNode node = select.first_child(); node; node = node.next_in_order(select)) {
    if (!node.is("option") || (chosen && !node.has_attribute("selected"))) continue;
    chosen = node;
    if (node.has_attribute("selected")) break;
  }
  if (!chosen) return {};
  return chosen.has_attribute("value") ? std::string(chosen.attribute("value")) : squeeze(chosen.text_content());
}

std::optional<FieldKind> kind_of_input(HtmlNode node) {
  constexpr std::array<std::string_view, 6> kTexts = {"", "text", "email", "tel", "number", "search"};
  const std::string type = type_of(node);
  if (type == "password") return FieldKind::kPassword;
  if (type == "submit") return FieldKind::kButton;
  if (type == "hidden") return FieldKind::kFixed;
  if (type == "checkbox" || type == "radio") return node.has_attribute("checked") ? std::optional(FieldKind::kFixed) : std::nullopt;
  if (std::find(kTexts.begin(), kTexts.end(), type) != kTexts.end()) return FieldKind::kText;
  return std::nullopt;  // files, pictures, resets
}

std::optional<Field> field_of(HtmlNode node) {
  Field field{.name = std::string(node.attribute("name")), .value = std::string(node.attribute("value"))};
  if (field.name.empty() || node.has_attribute("disabled")) return std::nullopt;
  if (node.is("input")) {
    const std::optional<FieldKind> kind = kind_of_input(node);
    if (!kind) return std::nullopt;
    field.kind = *kind;
    const std::string type = type_of(node);
    if ((type == "checkbox" || type == "radio") && !node.has_attribute("value")) field.value = "on";
    return field;
  }
  if (node.is("select")) {
    field.value = value_of_select(node);
    return field;
  }
  if (node.is("textarea")) {
    field.value = node.text_content();
    return field;
  }
  const std::string type = type_of(node);
  if (!node.is("button") || (!type.empty() && type != "submit")) return std::nullopt;
  field.kind = FieldKind::kButton;
  return field;
}

/// The form to fill in; none when no form has such a password field.
HtmlNode find_form(const HtmlTree& tree, const std::string& password_field) {
  HtmlNode form, with_one, with_any;
  std::size_t passwords = 0;
  const auto settle = [&] {
    if (passwords == 1 && !with_one) with_one = form;
    if (passwords > 0 && !with_any) with_any = form;
  };
  for (HtmlNode node = tree.root(); node; node = node.next_in_order(tree.root())) {
    if (node.is("form")) {
      settle();
      form = node;
      passwords = 0;
    }
    passwords += is_password(node) && (password_field.empty() || node.attribute("name") == password_field);
  }
  settle();
  return with_one ? with_one : with_any;
}

std::vector<Field> fields_of(HtmlNode form) {
  constexpr std::size_t kFieldsMax = 1'000;
  std::vector<Field> fields;
  for (HtmlNode node = form.first_child(); node && fields.size() < kFieldsMax; node = node.next_in_order(form)) {
    if (auto field = field_of(node)) fields.push_back(std::move(*field));
  }
  return fields;
}

/// Where the user's name goes: by the given name, else next to the password.
Field* user_field(std::vector<Field>& fields, const Field* password, const std::string& name) {
  Field* before = nullptr;
  for (Field& field : fields) {
    const bool fits = name.empty() ? field.kind == FieldKind::kText : field.name == name;
    if (fits && (!name.empty() || &field > password)) return before != nullptr ? before : &field;
    if (fits) before = &field;
  }
  return before;
}

std::string urlencoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("*-._").find(c) != std::string_view::npos;
    if (plain) out += c;
    else if (c == ' ') out += '+';
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string entry_list(const std::vector<Field>& fields) {
  std::string out;
  bool pressed = false;
  for (const Field& field : fields) {
    if (field.kind == FieldKind::kButton && std::exchange(pressed, true)) continue;
    out += (out.empty() ? "" : "&") + urlencoded(field.name) + '=' + urlencoded(field.value);
  }
  return out;
}

/// Where the form is sent to.
Result<Url> action_of(HtmlNode form, const HtmlTree& tree, const Url& page) {
  if (ascii_lowered(form.attribute("method")) != "post")
    return fail(Code::kForbidden, "its form is not sent by POST, which would put the password into an address");
  const std::string enctype = ascii_lowered(form.attribute("enctype"));
  if (!enctype.empty() && enctype != "application/x-www-form-urlencoded")
    return fail(Code::kForbidden, "its form is sent as {}, and only application/x-www-form-urlencoded is known", enctype.substr(0, 100));
  if (form.attribute("action").empty()) return page;
  Url base = page;
  for (HtmlNode node = tree.root(); node; node = node.next_in_order(tree.root())) {
    if (!node.is("base") || !node.has_attribute("href")) continue;
    if (auto given = Url::parse(node.attribute("href"), page)) base = std::move(*given);
    break;
  }
  const auto action = Url::parse(form.attribute("action"), base);
  if (!action) return fail(Code::kNotFound, "its form names no address to send it to");
  if (action->origin() != page.origin())
    return fail(Code::kForbidden, "its form is sent to {}, and the password is for {} only", action->origin(), page.origin());
  return action->without_fragment();
}

}  // namespace

Result<LoginRequest> fill_login_form(std::string_view html, const FormLogin& login) {
  MAGPIE_TRY(const HtmlTree tree, HtmlTree::parse(decode_to_utf8(html, sniff_charset(html, ""))));
  const HtmlNode form = find_form(tree, login.password_field);
  if (!form) return fail(Code::kNotFound, "it shows no form with a password field");
  MAGPIE_TRY(Url action, action_of(form, tree, login.page));
  std::vector<Field> fields = fields_of(form);
  const auto password = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
    return field.kind == FieldKind::kPassword && (login.password_field.empty() || field.name == login.password_field);
  });
  if (password == fields.end()) return fail(Code::kNotFound, "the password field of its form has no name, or is disabled");
  Field* const user = user_field(fields, &*password, login.user_field);
  if (user == nullptr) return fail(Code::kNotFound, "its form has no field for the user's name; give it as \"user_field\"");
  user->value = login.user;
  password->value = login.password;
  return LoginRequest{std::move(action), entry_list(fields), login.page.href()};
}

}  // namespace magpie::crawl
