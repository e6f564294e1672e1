#include "features/identity/sign_in/origin.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

#include "core/text.hpp"

namespace buildplan::identity {
namespace {

constexpr std::size_t longest_user_agent = 512, longest_address = 64;

// Header values may hold any byte; what is kept is text.
std::string_view text_of(std::string_view value, std::size_t longest) {
    value = value.substr(0, longest);
    while (!value.empty() && !is_utf8(value)) value.remove_suffix(1);
    return value;
}

}  // namespace

Origin Origin::of(net::Request const& request) {
    return {.address = text_of(request.remote, longest_address),
            .user_agent = text_of(request.header("User-Agent").value_or(""), longest_user_agent),
            .request_id = request.id};
}

std::string place_of(std::string_view address) {
    boost::system::error_code failure;
    auto const parsed = boost::asio::ip::make_address(std::string(address), failure);
    if (failure || !parsed.is_v6()) return std::string(address);
    if (parsed.to_v6().is_v4_mapped())
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, parsed.to_v6()).to_string();
    auto bytes = parsed.to_v6().to_bytes();
    std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
    return boost::asio::ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace buildplan::identity
