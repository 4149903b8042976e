"""aiosmtpd on three ports: SMTP with STARTTLS, SMTP under TLS, LMTP. One user, every recipient, stored in a Maildir."""
import hmac
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import AuthResult

port, tls_port, lmtp_port, key, certificate, maildir, user, password = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
handler = Mailbox(maildir)


def authenticate(server, session, envelope, mechanism, data):
    is_user = data.login == user.encode() and hmac.compare_digest(data.password, password.encode())
    return AuthResult(success=is_user, handled=is_user)


class LmtpController(Controller):
    def factory(self):
        return LMTP(self.handler, hostname='matrix.example')


common = {'hostname': '127.0.0.1', 'server_hostname': 'matrix.example', 'authenticator': authenticate}
controllers = [
    Controller(handler, port=int(port), tls_context=context, **common),
    Controller(handler, port=int(tls_port), ssl_context=context, auth_require_tls=False, **common),
    LmtpController(handler, hostname='127.0.0.1', port=int(lmtp_port)),
]
for controller in controllers:
    controller.start()
signal.sigwait([signal.SIGTERM, signal.SIGINT])
for controller in controllers:
    controller.stop()
