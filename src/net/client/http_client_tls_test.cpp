#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "net/client/client_test.hpp"

namespace buildplan::net {
namespace {

template <auto Close>
struct Closer {
    void operator()(auto* thing) const noexcept { Close(thing); }
};
using Key = std::unique_ptr<EVP_PKEY, Closer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Closer<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Closer<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Closer<SSL_free>>;

Certificate self_signed(EVP_PKEY* key, char const* name) {
    Certificate made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
    X509_set_pubkey(made.get(), key);
    auto* const subject = X509_get_subject_name(made.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<unsigned char const*>(name), -1, -1, 0);
    X509_set_issuer_name(made.get(), subject);
    auto const names = fmt::format("DNS:{}", name);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(made.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(made.get(), key, EVP_sha256());
    return made;
}

// Answers every connection's first bytes with one text, over TLS with a certificate for `name` that nobody knows.
class TlsServer {
public:
    TlsServer(char const* name, std::string text) : text_(std::move(text)), key_(EVP_EC_gen("P-256")) {
        certificate_ = self_signed(key_.get(), name);
        context_.reset(SSL_CTX_new(TLS_server_method()));
        SSL_CTX_use_certificate(context_.get(), certificate_.get());
        SSL_CTX_use_PrivateKey(context_.get(), key_.get());
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
        EXPECT_EQ(::listen(listener_, 16), 0);
        EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length), 0);
        port = ntohs(address.sin_port);
        ca_file =
            std::filesystem::temp_directory_path() / fmt::format("buildplan-tls-test-{}-{}.pem", ::getpid(), port);
        auto* const file = std::fopen(ca_file.c_str(), "w");
        PEM_write_X509(file, certificate_.get());
        std::fclose(file);
        thread_ = std::thread([this] { serve(); });
    }
    ~TlsServer() {
        ::shutdown(listener_, SHUT_RDWR);
        thread_.join();
        ::close(listener_);
        std::filesystem::remove(ca_file);
    }
    TlsServer(TlsServer const&) = delete;
    TlsServer& operator=(TlsServer const&) = delete;

    std::uint16_t port = 0;
    std::filesystem::path ca_file;
    std::atomic<int> served{0};

private:
    void serve() {
        sigset_t broken_pipe;  // OpenSSL writes to clients that have left
        ::sigemptyset(&broken_pipe);
        ::sigaddset(&broken_pipe, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        for (int socket = 0; (socket = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(socket)) {
            Session const session(SSL_new(context_.get()));
            SSL_set_fd(session.get(), socket);
            char bytes[4096];
            if (SSL_accept(session.get()) != 1 || SSL_read(session.get(), bytes, sizeof bytes) <= 0) continue;
            ++served;
            SSL_write(session.get(), text_.data(), static_cast<int>(text_.size()));
            SSL_shutdown(session.get());
        }
    }

    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::string text_;
    Key key_;
    Certificate certificate_;
    Context context_;
    std::thread thread_;
};

TEST(HttpClientTls, OnlyATrustedCertificateForTheHostWillDo) {
    TlsServer server("localhost", answer(200, "over TLS"));
    auto const request = get(fmt::format("https://localhost:{}/", server.port));
    auto const untrusted = call(request);
    EXPECT_EQ(untrusted.kind(), Kind::tls);
    EXPECT_EQ(call(get(fmt::format("https://127.0.0.1:{}/", server.port)), {.ca_file = server.ca_file}).kind(),
              Kind::tls);
    EXPECT_EQ(server.served, 0);
    EXPECT_EQ(call(request, {.ca_file = server.ca_file}).body(), "over TLS");
}

TEST(HttpClientTls, ARedirectDoesNotLeaveTls) {
    ScriptedServer plain([](SeenRequest const&) -> Steps { return {{answer(200, "plain")}}; });
    TlsServer server("localhost", answer(302, "", fmt::format("Location: {}\r\n", plain.url())));
    auto request = get(fmt::format("https://localhost:{}/", server.port));
    request.options.max_redirects = 3;
    EXPECT_EQ(call(request, {.ca_file = server.ca_file}).kind(), Kind::redirect);
    EXPECT_EQ(plain.connections(), 0u);
}

}  // namespace
}  // namespace buildplan::net
