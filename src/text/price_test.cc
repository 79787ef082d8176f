#include "text/price.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "text/shared_cases_for_test.h"

namespace magpie {
namespace {

using testing::each_case;
using testing::text_at;

// "22.0" and "22" are the same amount.
std::string plain_decimal(std::string amount) {
  if (amount.find('.') == std::string::npos) return amount;
  amount.erase(amount.find_last_not_of('0') + 1);
  if (amount.ends_with('.')) amount.pop_back();
  return amount;
}

TEST(Price, ReadsAmountsAndCurrenciesOfTheSharedCases) {
  std::size_t right = 0, all = 0;
  const bool found = each_case("price", [&](const simdjson::dom::element& root) {
    const std::optional<std::string> hint = text_at(root["input"].value(), "currency_hint");
    const std::string text = text_at(root["input"].value(), "text").value_or("");
    const Price price = parse_price(text, {.currency_hint = hint ? std::string_view(*hint) : std::string_view()});
    const simdjson::dom::element expect = root["expect"];
    bool ok = true;
    if (simdjson::dom::element amount; expect["amount"].get(amount) == simdjson::SUCCESS) {
      ok = plain_decimal(price.amount) == plain_decimal(text_at(expect, "amount").value_or(""));
    }
    if (simdjson::dom::array any; expect["currency_any_of"].get(any) == simdjson::SUCCESS) {
      std::vector<std::string> codes;
      for (const auto code : any) codes.emplace_back(code.get_string().value());
      ok = codes.empty() ? price.currency.empty() : std::find(codes.begin(), codes.end(), price.currency) != codes.end();
    }
    EXPECT_TRUE(ok) << simdjson::minify(root) << "\n  got " << price.amount << " " << price.currency << " (" << price.symbol << ")";
    right += ok;
    ++all;
  });
  if (!found) GTEST_SKIP() << "shared cases are not here; set MAGPIE_SHARED to their folder";
  EXPECT_EQ(right, all);
  EXPECT_GT(all, 900u);
}

struct Row {
  const char* text;
  const char* amount;
  const char* currency;
};

class PriceNotation : public ::testing::TestWithParam<Row> {};
TEST_P(PriceNotation, IsRead) {
  const Price price = parse_price(GetParam().text);
  EXPECT_EQ(price.amount, GetParam().amount) << GetParam().text;
  EXPECT_EQ(price.currency, GetParam().currency) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(
    Notations, PriceNotation,
    ::testing::Values(Row{"1.299,95 €", "1299.95", "EUR"}, Row{"34.000", "34000", ""}, Row{"PTE 120 000 000", "120000000", "PTE"},
                      Row{"۱۲٬۵۰۰ ریال", "12500", "IRR"}, Row{"١٬٢٣٤٫٥٠ ر.س", "1234.50", "SAR"}, Row{"₹१,२३,४५६", "123456", "INR"},
                      Row{"-20% Rs.500", "500", "INR"}, Row{"S/.75", "75", "PEN"}, Row{"$.75", "0.75", "USD"}, Row{"35€99", "35.99", "EUR"},
                      Row{"0.125 USD", "0.125", "USD"}, Row{"KD 12.500", "12.500", "KWD"}, Row{"1'049,95 CHF", "1049.95", "CHF"},
                      Row{"$45,000 - $70,000", "45000", "USD"}, Row{"TOP offer 12 EUR", "12", "EUR"}, Row{"1,234,567.89", "1234567.89", ""},
                      Row{"50%", "", ""}, Row{"", "", ""}, Row{"kr 1 299,-", "1299", "SEK"}, Row{"12.99 15.99", "12.99", ""},
                      Row{"２，９８０円", "2980", "JPY"}, Row{"Try 5 items", "5", ""}));

TEST(Price, TomanHasNoCode) {
  const Price price = parse_price("227,000 تومان");
  EXPECT_EQ(price.amount, "227000");
  EXPECT_EQ(price.currency, "");
  EXPECT_EQ(price.symbol, "تومان");
}

TEST(Price, SiteDecidesWhatASharedSignMeans) {
  EXPECT_EQ(parse_price("$5", {.currency_of_site = "CAD"}).currency, "CAD");
  EXPECT_EQ(parse_price("kr 5", {.currency_of_site = "NOK"}).currency, "NOK");
  EXPECT_EQ(parse_price("€5", {.currency_of_site = "CAD"}).currency, "EUR");
  EXPECT_EQ(parse_price("$5", {.currency_hint = "AUD"}).currency, "AUD");
}

TEST(Price, MachineValuesKeepTheirFraction) {
  EXPECT_EQ(parse_machine_amount("1299.95", "EUR"), "1299.95");
  EXPECT_EQ(parse_machine_amount("34.000", "EUR"), "34.000");
  EXPECT_EQ(parse_machine_amount("34.000", "VND"), "34000");
  EXPECT_EQ(parse_machine_amount("1,299.95", "USD"), "1299.95");
  EXPECT_EQ(parse_machine_amount("n/a", "USD"), "");
}

TEST(Price, ReadsCentsAndKuna) {
  const auto read = [](std::string_view text) {
    const Price price = parse_price(text, {});
    return price.amount + " " + price.currency;
  };
  EXPECT_EQ(read("99\u00A2"), "0.99 USD");
  EXPECT_EQ(read("only 5 \u00A2 each"), "0.05 USD");
  EXPECT_EQ(read("150\u00A2"), "1.50 USD");
  EXPECT_EQ(read("2.5\u00A2 / oz"), "0.0250 USD");
  EXPECT_EQ(read("\u00A2"), " USD");
  EXPECT_EQ(read("$1.99"), "1.99 USD");
  EXPECT_EQ(read("GH\u00A2 20"), "20 GHS");
  EXPECT_EQ(read("12,99 Kn"), "12.99 HRK");
  EXPECT_EQ(read("1.299,00 kn."), "1299.00 HRK");
  EXPECT_EQ(parse_price("99\u00A2", {.currency_of_site = "CAD"}).currency, "CAD");
}

}  // namespace
}  // namespace magpie
