// SPDX-License-Identifier: BSL-1.0
// Some rows of the table of pairs as listeners: those from FIRST_ROW up to LAST_ROW, which is not one of them.
#include <utility>

#include "options.hpp"
#include "table.hpp"

using namespace property;

namespace {

template <std::size_t Row, std::size_t... Slots>
auto composition_of(std::index_sequence<Slots...>)
    -> with<listener<>, option_at<Slots, place_of(pair_rows[Row][Slots])>...>;
template <std::size_t Row>
using composition = decltype(composition_of<Row>(std::make_index_sequence<slot_count>{}));

template <std::size_t... Rows>
void hold(std::index_sequence<Rows...>) {
  const auto one = []<std::size_t Row>(std::integral_constant<std::size_t, Row>) {
    CAPTURE(Row);
    CHECK(holds<composition<Row>>("row " + std::to_string(Row) + ' ' + pair_rows[Row], 100));
  };
  (one(std::integral_constant<std::size_t, FIRST_ROW + Rows>{}), ...);
}

}  // namespace

TEST_CASE("any two options together") {
  constexpr std::size_t last = LAST_ROW < std::size(pair_rows) ? LAST_ROW : std::size(pair_rows);
  hold(std::make_index_sequence<last - FIRST_ROW>{});
}
