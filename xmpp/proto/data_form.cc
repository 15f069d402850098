#include "xmpp/proto/data_form.h"

#include <algorithm>

#include "xmpp/proto/codec.h"

namespace bascule::proto {
namespace {

constexpr std::string_view kXName = "x";
constexpr std::string_view kTypeName = "type";
constexpr std::string_view kFieldName = "field";
constexpr std::string_view kVarName = "var";
constexpr std::string_view kValueName = "value";
constexpr std::string_view kHiddenType = "hidden";

constexpr Names<FormType, 4> kFormTypes{{
    {FormType::kForm, "form"},
    {FormType::kSubmit, "submit"},
    {FormType::kCancel, "cancel"},
    {FormType::kResult, "result"},
}};

FormField decode_field(const xml::Element& element) {
  FormField field{.var = std::string(element.attribute_or_empty(kVarName)),
                  .type = optional_text(element, kTypeName)};
  for (const xml::Element& child : element.children) {
    if (child.is(kValueName, kDataFormNamespace)) {
      field.values.push_back(child.text);
    }
  }
  return field;
}

}  // namespace

std::optional<std::string_view> DataForm::value(std::string_view var) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [var](const FormField& field) { return field.var == var; });
  if (found == fields.end() || found->values.empty()) {
    return std::nullopt;
  }
  return found->values.front();
}

std::optional<bool> DataForm::boolean(std::string_view var) const {
  const auto text = value(var);
  return text ? std::optional<bool>(*text == "1" || *text == "true") : std::nullopt;
}

DataForm make_submit_form(std::string_view form_type, std::vector<FormField> fields) {
  DataForm form{.type = FormType::kSubmit};
  form.fields.push_back({.var = std::string(kFormTypeVar),
                         .type = std::string(kHiddenType),
                         .values = {std::string(form_type)}});
  std::move(fields.begin(), fields.end(), std::back_inserter(form.fields));
  return form;
}

std::vector<FormField> without_form_type(std::vector<FormField> fields) {
  std::erase_if(fields, [](const FormField& field) { return field.var == kFormTypeVar; });
  return fields;
}

xml::Element encode(const DataForm& form) {
  xml::Element x = make_element(kXName, kDataFormNamespace);
  x.set(kTypeName, name_of(kFormTypes, form.type));
  for (const FormField& field : form.fields) {
    xml::Element& element = x.add(make_element(kFieldName, kDataFormNamespace));
    if (!field.var.empty()) {
      element.set(kVarName, field.var);
    }
    set_optional(element, kTypeName, field.type);
    for (const std::string& value : field.values) {
      element.add(make_text_element(kValueName, kDataFormNamespace, value));
    }
  }
  return x;
}

Result<DataForm> decode_data_form(const xml::Element& x) {
  Reader reader(x);
  reader.expect(kXName, kDataFormNamespace);
  DataForm form;
  reader.require_enum(kFormTypes, kTypeName, form.type);
  for (const xml::Element& child : x.children) {
    if (child.is(kFieldName, kDataFormNamespace)) {
      form.fields.push_back(decode_field(child));
    }
  }
  return reader.finish(std::move(form));
}

}  // namespace bascule::proto
