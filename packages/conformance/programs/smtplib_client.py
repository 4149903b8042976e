"""Sends one message by Python's smtplib, and prints a line for each recipient: what its result or its error says."""
import smtplib
import ssl
import sys

host, port, sender, recipients, path, ca, user, password, setup = sys.argv[1:]
to = recipients.split(',')
with open(path, 'rb') as file:
    message = file.read()


def severity(code):
    return 'rejected' if code >= 500 else 'deferred' if code >= 400 else 'failed'


def tell(address, code, text=''):
    print(severity(code), address, text)


try:
    context = ssl.create_default_context(cafile=ca) if setup not in ('plain', 'lmtp') else None
    name = 'client.example.org'
    if setup == 'implicitTls':
        client = smtplib.SMTP_SSL(host, int(port), name, context=context)
    elif setup == 'lmtp':
        client = smtplib.LMTP(host, int(port), name)
    else:
        client = smtplib.SMTP(host, int(port), name)
    with client:
        if setup in ('startTls', 'login'):
            client.starttls(context=context)
        if setup == 'login':
            client.login(user, password)
        refused = client.sendmail(sender, to, message)
        for address in to:
            if address in refused:
                tell(address, refused[address][0])
            else:
                print('delivered', address)
except smtplib.SMTPRecipientsRefused as error:
    for address in to:
        tell(address, error.recipients.get(address, (0,))[0])
    sys.exit(1)
except smtplib.SMTPResponseException as error:
    for address in to:
        tell(address, error.smtp_code, type(error).__name__)
    sys.exit(1)
except Exception as error:
    for address in to:
        tell(address, 0, repr(error))
    sys.exit(1)
