// Mutations that keep XML well-formed: of bytes alone, few inputs would reach a decoder.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "xmpp/xml/parser.h"
#include "xmpp/xml/writer.h"

/// Given by libFuzzer, with its name.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace bascule::fuzz {
namespace {

using xml::Element;

void collect(Element& element, std::vector<Element*>& all) {
  all.push_back(&element);
  for (Element& child : element.children) {
    collect(child, all);
  }
}

/// Bytes mutated by the fuzzer, which knows the dictionary and what comparisons wanted to see.
std::string mutated(std::string text) {
  constexpr std::size_t kRoom = 64;
  const std::size_t size = text.size();
  text.resize(size + kRoom);
  text.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text.data()), size, text.size()));
  return text;
}

class StanzaMutator {
 public:
  StanzaMutator(Element& root, std::uint64_t seed) : root_(root), prng_(seed) {}

  void mutate() {
    for (std::uint64_t i = 1 + prng_.below(3); i > 0; --i) {
      all_.clear();
      collect(root_, all_);
      mutate_once();
    }
  }

 private:
  Element& any() { return *all_[prng_.below(all_.size())]; }

  void mutate_once() {
    Element& element = any();
    switch (prng_.below(10)) {
      case 0:
        if (!element.children.empty()) {
          element.children.erase(element.children.begin() + child_of(element));
        }
        break;
      case 1: {  // A copy, so that what may be there once is there twice.
        Element copy = any();
        element.children.insert(element.children.begin() + place_in(element), std::move(copy));
        break;
      }
      case 2:
        std::swap(any().attributes, element.attributes);
        break;
      case 3:
        std::swap(any().text, element.text);
        break;
      case 4:
        element.text = mutated(element.text);
        break;
      case 5:
        if (!element.attributes.empty()) {
          element.attributes.erase(element.attributes.begin() + attribute_of(element));
        }
        break;
      case 6:
        if (!element.children.empty()) {
          std::swap(element.children[static_cast<std::size_t>(child_of(element))],
                    element.children.front());
        }
        break;
      default:
        mutate_attribute(element);
        break;
    }
  }

  void mutate_attribute(Element& element) {
    if (element.attributes.empty()) {
      return;
    }
    auto& attribute = element.attributes[static_cast<std::size_t>(attribute_of(element))];
    // Values that mean the same thing elsewhere are the ones that conflict.
    const Element& other = any();
    if (prng_.below(2) == 0 && !other.attributes.empty()) {
      const auto& donor = other.attributes[prng_.below(other.attributes.size())];
      attribute.second = donor.second;
    } else {
      attribute.second = mutated(attribute.second);
    }
  }

  std::ptrdiff_t child_of(const Element& element) {
    return static_cast<std::ptrdiff_t>(prng_.below(element.children.size()));
  }
  std::ptrdiff_t place_in(const Element& element) {
    return static_cast<std::ptrdiff_t>(prng_.below(element.children.size() + 1));
  }
  std::ptrdiff_t attribute_of(const Element& element) {
    return static_cast<std::ptrdiff_t>(prng_.below(element.attributes.size()));
  }

  Element& root_;
  Prng prng_;
  std::vector<Element*> all_;
};

std::size_t store(const std::string& text, std::uint8_t* data, std::size_t size_max) {
  const std::size_t size = std::min(text.size(), size_max);
  std::copy_n(text.begin(), size, data);
  return size;
}

}  // namespace
}  // namespace bascule::fuzz

// NOLINTBEGIN(readability-identifier-naming): libFuzzer's names.

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
  using namespace bascule;
  auto root = xml::parse({reinterpret_cast<const char*>(data), size});
  if (!root || seed % 8 == 0) {
    return LLVMFuzzerMutate(data, size, size_max);
  }
  fuzz::StanzaMutator(*root, seed).mutate();
  const std::string text = xml::to_string(*root);
  return text.size() <= size_max ? fuzz::store(text, data, size_max)
                                 : LLVMFuzzerMutate(data, size, size_max);
}

/// Puts a part of one input into the other: stanzas of both, one after the other.
extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* left, std::size_t left_size,
                                                 const std::uint8_t* right, std::size_t right_size,
                                                 std::uint8_t* out, std::size_t out_max,
                                                 unsigned int seed) {
  using namespace bascule;
  auto first = xml::parse({reinterpret_cast<const char*>(left), left_size});
  auto second = xml::parse({reinterpret_cast<const char*>(right), right_size});
  if (!first || !second) {
    return 0;
  }
  Prng prng(seed);
  xml::Element sequence{.name = "sequence"};
  for (xml::Element* part : {&*first, &*second}) {
    if (part->name == sequence.name) {
      for (xml::Element& stanza : part->children) {
        if (prng.below(2) == 0) {
          sequence.add(std::move(stanza));
        }
      }
    } else {
      sequence.add(std::move(*part));
    }
  }
  const std::string text = xml::to_string(sequence);
  return text.size() <= out_max ? fuzz::store(text, out, out_max) : 0;
}

// NOLINTEND(readability-identifier-naming)
