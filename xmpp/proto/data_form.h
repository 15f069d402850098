#pragma once

// XEP-0004: data forms.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "xmpp/xml/element.h"

namespace bascule::proto {

inline constexpr std::string_view kDataFormNamespace = "jabber:x:data";
/// The field that names the kind of form (XEP-0068).
inline constexpr std::string_view kFormTypeVar = "FORM_TYPE";

enum class FormType { kForm, kSubmit, kCancel, kResult };

struct FormField {
  std::string var;
  std::optional<std::string> type;
  std::vector<std::string> values;
  friend bool operator==(const FormField&, const FormField&) = default;
};

struct DataForm {
  FormType type = FormType::kForm;
  std::vector<FormField> fields;
  friend bool operator==(const DataForm&, const DataForm&) = default;

  /// The first value of a field, or nullopt when the field is absent or has no value.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view var) const;
  /// A boolean field (XEP-0004 3.3: "1" and "true"); absent is nullopt.
  [[nodiscard]] std::optional<bool> boolean(std::string_view var) const;
};

/// A submit form: the hidden FORM_TYPE field and then `fields`.
DataForm make_submit_form(std::string_view form_type, std::vector<FormField> fields);

/// The fields but FORM_TYPE.
std::vector<FormField> without_form_type(std::vector<FormField> fields);

xml::Element encode(const DataForm& form);
/// Errors: kMalformed for an unknown type.
Result<DataForm> decode_data_form(const xml::Element& x);

}  // namespace bascule::proto
