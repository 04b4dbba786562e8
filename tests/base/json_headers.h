// <nlohmann/json.hpp> for tests, and what json.cpp instantiates of it, so that not every file does.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace json_headers {
using Input = nlohmann::detail::iterator_input_adapter<std::string::const_iterator>;
}

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::lexer<nlohmann::json, json_headers::Input>;
extern template class nlohmann::detail::parser<nlohmann::json, json_headers::Input>;
extern template class nlohmann::detail::json_sax_dom_parser<nlohmann::json>;
extern template class nlohmann::detail::json_sax_dom_callback_parser<nlohmann::json>;
