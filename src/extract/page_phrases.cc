#include "extract/page_phrases.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "text/tokens.h"

namespace magpie {
namespace {

/// How much a phrase says.
enum class Weight : std::uint8_t {
  kAlone,  // when it is all that a heading says
  kPart,   // anywhere in a heading
  kText,   // anywhere in a short page
  kWeak,   // anywhere in a heading, with other evidence
};

struct Row {
  Cause cause;
  Weight weight;
  std::string_view words;  // as people write them; folded before use
};

constexpr Row kRows[] = {
    // ---- nothing is here ----
    {Cause::kSoftError, Weight::kAlone, "not found"},
    {Cause::kSoftError, Weight::kAlone, "nicht gefunden"},
    {Cause::kSoftError, Weight::kAlone, "introuvable"},
    {Cause::kSoftError, Weight::kAlone, "no encontrado"},
    {Cause::kSoftError, Weight::kAlone, "no encontrada"},
    {Cause::kSoftError, Weight::kAlone, "non trovato"},
    {Cause::kSoftError, Weight::kAlone, "non trovata"},
    {Cause::kSoftError, Weight::kAlone, "não encontrado"},
    {Cause::kSoftError, Weight::kAlone, "não encontrada"},
    {Cause::kSoftError, Weight::kAlone, "niet gevonden"},
    {Cause::kSoftError, Weight::kAlone, "hittades inte"},
    {Cause::kSoftError, Weight::kAlone, "nie znaleziono"},
    {Cause::kSoftError, Weight::kAlone, "не найдено"},
    {Cause::kSoftError, Weight::kAlone, "bulunamadı"},
    {Cause::kSoftError, Weight::kAlone, "یافت نشد"},
    {Cause::kSoftError, Weight::kPart, "404 not found"},
    {Cause::kSoftError, Weight::kPart, "page not found"},
    {Cause::kSoftError, Weight::kPart, "page was not found"},
    {Cause::kSoftError, Weight::kPart, "page cannot be found"},
    {Cause::kSoftError, Weight::kPart, "page can't be found"},
    {Cause::kSoftError, Weight::kPart, "page could not be found"},
    {Cause::kSoftError, Weight::kPart, "page couldn't be found"},
    {Cause::kSoftError, Weight::kPart, "page you are looking for"},
    {Cause::kSoftError, Weight::kPart, "page you were looking for"},
    {Cause::kSoftError, Weight::kPart, "page you're looking for"},
    {Cause::kSoftError, Weight::kPart, "page you requested"},
    {Cause::kSoftError, Weight::kPart, "page does not exist"},
    {Cause::kSoftError, Weight::kPart, "page doesn't exist"},
    {Cause::kSoftError, Weight::kPart, "page no longer exists"},
    {Cause::kSoftError, Weight::kPart, "page is no longer available"},
    {Cause::kSoftError, Weight::kPart, "page is not available"},
    {Cause::kSoftError, Weight::kPart, "page isn't available"},
    {Cause::kSoftError, Weight::kPart, "can't find that page"},
    {Cause::kSoftError, Weight::kPart, "can't find this page"},
    {Cause::kSoftError, Weight::kPart, "can't find the page"},
    {Cause::kSoftError, Weight::kPart, "couldn't find that page"},
    {Cause::kSoftError, Weight::kPart, "couldn't find this page"},
    {Cause::kSoftError, Weight::kPart, "couldn't find the page"},
    {Cause::kSoftError, Weight::kPart, "file not found"},
    {Cause::kSoftError, Weight::kPart, "object not found"},
    {Cause::kSoftError, Weight::kPart, "product not found"},
    {Cause::kSoftError, Weight::kPart, "item not found"},
    {Cause::kSoftError, Weight::kPart, "product could not be found"},
    {Cause::kSoftError, Weight::kPart, "product is no longer available"},
    {Cause::kSoftError, Weight::kPart, "product no longer available"},
    {Cause::kSoftError, Weight::kPart, "item is no longer available"},
    {Cause::kSoftError, Weight::kPart, "item no longer available"},
    {Cause::kSoftError, Weight::kPart, "listing is no longer available"},
    {Cause::kSoftError, Weight::kText, "requested URL was not found on this server"},
    {Cause::kSoftError, Weight::kText, "nothing was found at this location"},
    {Cause::kSoftError, Weight::kPart, "seite nicht gefunden"},
    {Cause::kSoftError, Weight::kPart, "seite wurde nicht gefunden"},
    {Cause::kSoftError, Weight::kPart, "seite konnte nicht gefunden werden"},
    {Cause::kSoftError, Weight::kPart, "seite existiert nicht"},
    {Cause::kSoftError, Weight::kPart, "seite gibt es nicht"},
    {Cause::kSoftError, Weight::kPart, "seite nicht vorhanden"},
    {Cause::kSoftError, Weight::kPart, "seite ist nicht mehr verfügbar"},
    {Cause::kSoftError, Weight::kPart, "artikel nicht gefunden"},
    {Cause::kSoftError, Weight::kPart, "artikel wurde nicht gefunden"},
    {Cause::kSoftError, Weight::kPart, "produkt nicht gefunden"},
    {Cause::kSoftError, Weight::kPart, "artikel ist nicht mehr verfügbar"},
    {Cause::kSoftError, Weight::kPart, "page introuvable"},
    {Cause::kSoftError, Weight::kPart, "page non trouvée"},
    {Cause::kSoftError, Weight::kPart, "page n'a pas été trouvée"},
    {Cause::kSoftError, Weight::kPart, "page n'existe pas"},
    {Cause::kSoftError, Weight::kPart, "page n'existe plus"},
    {Cause::kSoftError, Weight::kPart, "page demandée"},
    {Cause::kSoftError, Weight::kPart, "page que vous recherchez"},
    {Cause::kSoftError, Weight::kPart, "page que vous cherchez"},
    {Cause::kSoftError, Weight::kPart, "produit introuvable"},
    {Cause::kSoftError, Weight::kPart, "produit n'est plus disponible"},
    {Cause::kSoftError, Weight::kPart, "página no encontrada"},
    {Cause::kSoftError, Weight::kPart, "página no existe"},
    {Cause::kSoftError, Weight::kPart, "página que buscas"},
    {Cause::kSoftError, Weight::kPart, "página solicitada no"},
    {Cause::kSoftError, Weight::kPart, "no se encontró la página"},
    {Cause::kSoftError, Weight::kPart, "no se ha encontrado la página"},
    {Cause::kSoftError, Weight::kPart, "producto no encontrado"},
    {Cause::kSoftError, Weight::kPart, "pagina non trovata"},
    {Cause::kSoftError, Weight::kPart, "pagina non è stata trovata"},
    {Cause::kSoftError, Weight::kPart, "pagina non esiste"},
    {Cause::kSoftError, Weight::kPart, "pagina inesistente"},
    {Cause::kSoftError, Weight::kPart, "prodotto non trovato"},
    {Cause::kSoftError, Weight::kPart, "página não encontrada"},
    {Cause::kSoftError, Weight::kPart, "página não existe"},
    {Cause::kSoftError, Weight::kPart, "produto não encontrado"},
    {Cause::kSoftError, Weight::kPart, "pagina niet gevonden"},
    {Cause::kSoftError, Weight::kPart, "pagina bestaat niet"},
    {Cause::kSoftError, Weight::kPart, "product niet gevonden"},
    {Cause::kSoftError, Weight::kPart, "sidan hittades inte"},
    {Cause::kSoftError, Weight::kPart, "sidan kunde inte hittas"},
    {Cause::kSoftError, Weight::kPart, "sidan finns inte"},
    {Cause::kSoftError, Weight::kPart, "produkten hittades inte"},
    {Cause::kSoftError, Weight::kPart, "siden blev ikke fundet"},
    {Cause::kSoftError, Weight::kPart, "siden findes ikke"},
    {Cause::kSoftError, Weight::kPart, "siden ble ikke funnet"},
    {Cause::kSoftError, Weight::kPart, "siden finnes ikke"},
    {Cause::kSoftError, Weight::kPart, "fant ikke siden"},
    {Cause::kSoftError, Weight::kPart, "sivua ei löydy"},
    {Cause::kSoftError, Weight::kPart, "sivua ei löytynyt"},
    {Cause::kSoftError, Weight::kPart, "strona nie została znaleziona"},
    {Cause::kSoftError, Weight::kPart, "nie znaleziono strony"},
    {Cause::kSoftError, Weight::kPart, "strona nie istnieje"},
    {Cause::kSoftError, Weight::kPart, "stránka nenalezena"},
    {Cause::kSoftError, Weight::kPart, "stránka nebyla nalezena"},
    {Cause::kSoftError, Weight::kPart, "stránka neexistuje"},
    {Cause::kSoftError, Weight::kPart, "oldal nem található"},
    {Cause::kSoftError, Weight::kPart, "pagina nu a fost găsită"},
    {Cause::kSoftError, Weight::kPart, "страница не найдена"},
    {Cause::kSoftError, Weight::kPart, "страница не существует"},
    {Cause::kSoftError, Weight::kPart, "такой страницы не существует"},
    {Cause::kSoftError, Weight::kPart, "товар не найден"},
    {Cause::kSoftError, Weight::kPart, "сторінку не знайдено"},
    {Cause::kSoftError, Weight::kPart, "sayfa bulunamadı"},
    {Cause::kSoftError, Weight::kPart, "η σελίδα δεν βρέθηκε"},
    {Cause::kSoftError, Weight::kPart, "صفحه یافت نشد"},
    {Cause::kSoftError, Weight::kPart, "صفحه پیدا نشد"},
    {Cause::kSoftError, Weight::kPart, "صفحه مورد نظر یافت نشد"},
    {Cause::kSoftError, Weight::kPart, "صفحه مورد نظر شما"},
    {Cause::kSoftError, Weight::kPart, "محصول یافت نشد"},
    {Cause::kSoftError, Weight::kPart, "الصفحة غير موجودة"},
    {Cause::kSoftError, Weight::kPart, "הדף לא נמצא"},
    {Cause::kSoftError, Weight::kPart, "không tìm thấy trang"},
    {Cause::kSoftError, Weight::kPart, "halaman tidak ditemukan"},
    {Cause::kSoftError, Weight::kPart, "页面不存在"},
    {Cause::kSoftError, Weight::kPart, "找不到页面"},
    {Cause::kSoftError, Weight::kPart, "页面未找到"},
    {Cause::kSoftError, Weight::kPart, "頁面不存在"},
    {Cause::kSoftError, Weight::kPart, "找不到頁面"},
    {Cause::kSoftError, Weight::kPart, "ページが見つかりません"},
    {Cause::kSoftError, Weight::kPart, "ページは見つかりません"},
    {Cause::kSoftError, Weight::kPart, "ページは存在しません"},
    {Cause::kSoftError, Weight::kPart, "페이지를 찾을 수 없습니다"},
    {Cause::kSoftError, Weight::kPart, "존재하지 않는 페이지"},
    // ---- the server is in trouble ----
    {Cause::kSoftError, Weight::kPart, "internal server error"},
    {Cause::kSoftError, Weight::kPart, "502 bad gateway"},
    {Cause::kSoftError, Weight::kPart, "503 service unavailable"},
    {Cause::kSoftError, Weight::kPart, "service temporarily unavailable"},
    {Cause::kSoftError, Weight::kPart, "403 forbidden"},
    {Cause::kSoftError, Weight::kPart, "database connection error"},
    {Cause::kSoftError, Weight::kPart, "error establishing a database connection"},
    {Cause::kSoftError, Weight::kAlone, "bad gateway"},
    {Cause::kSoftError, Weight::kAlone, "service unavailable"},
    {Cause::kSoftError, Weight::kAlone, "database error"},
    {Cause::kSoftError, Weight::kAlone, "server error"},
    {Cause::kSoftError, Weight::kAlone, "application error"},
    {Cause::kSoftError, Weight::kAlone, "something went wrong"},
    {Cause::kSoftError, Weight::kAlone, "an error occurred"},
    {Cause::kSoftError, Weight::kAlone, "an error has occurred"},
    {Cause::kSoftError, Weight::kAlone, "access denied"},
    {Cause::kSoftError, Weight::kAlone, "under maintenance"},
    {Cause::kSoftError, Weight::kAlone, "site under maintenance"},
    {Cause::kSoftError, Weight::kAlone, "down for maintenance"},
    {Cause::kSoftError, Weight::kAlone, "wartungsarbeiten"},
    {Cause::kSoftError, Weight::kAlone, "interner serverfehler"},
    {Cause::kSoftError, Weight::kAlone, "erreur interne du serveur"},
    {Cause::kSoftError, Weight::kAlone, "error interno del servidor"},
    // ---- prove that you are a person ----
    {Cause::kCaptcha, Weight::kText, "verify you are human"},
    {Cause::kCaptcha, Weight::kText, "verify that you are human"},
    {Cause::kCaptcha, Weight::kText, "verify you are a human"},
    {Cause::kCaptcha, Weight::kText, "verifying you are human"},
    {Cause::kCaptcha, Weight::kText, "verify you are not a robot"},
    {Cause::kCaptcha, Weight::kText, "verify that you are not a robot"},
    {Cause::kCaptcha, Weight::kText, "verify you're not a robot"},
    {Cause::kCaptcha, Weight::kText, "verify that you're not a robot"},
    {Cause::kCaptcha, Weight::kText, "make sure you're not a robot"},
    {Cause::kCaptcha, Weight::kText, "prove you are human"},
    {Cause::kCaptcha, Weight::kText, "prove that you are human"},
    {Cause::kCaptcha, Weight::kText, "confirm you are human"},
    {Cause::kCaptcha, Weight::kText, "confirm that you are human"},
    {Cause::kCaptcha, Weight::kText, "checking your browser"},
    {Cause::kCaptcha, Weight::kText, "checking if the site connection is secure"},
    {Cause::kCaptcha, Weight::kText, "complete the security check"},
    {Cause::kCaptcha, Weight::kText, "please complete the captcha"},
    {Cause::kCaptcha, Weight::kText, "solve this captcha"},
    {Cause::kCaptcha, Weight::kText, "solve the captcha"},
    {Cause::kCaptcha, Weight::kText, "enter the characters you see"},
    {Cause::kCaptcha, Weight::kText, "type the characters you see"},
    {Cause::kCaptcha, Weight::kText, "enable JavaScript and cookies to continue"},
    {Cause::kCaptcha, Weight::kText, "access to this page has been denied because we believe you are using automation tools"},
    {Cause::kCaptcha, Weight::kPart, "access to this page has been denied"},
    {Cause::kCaptcha, Weight::kPart, "pardon our interruption"},
    {Cause::kCaptcha, Weight::kWeak, "just a moment"},
    {Cause::kCaptcha, Weight::kWeak, "one moment please"},
    {Cause::kCaptcha, Weight::kWeak, "please wait"},
    {Cause::kCaptcha, Weight::kWeak, "attention required"},
    {Cause::kCaptcha, Weight::kWeak, "security check"},
    {Cause::kCaptcha, Weight::kWeak, "security verification"},
    {Cause::kCaptcha, Weight::kWeak, "human verification"},
    {Cause::kCaptcha, Weight::kWeak, "browser check"},
    {Cause::kCaptcha, Weight::kWeak, "robot check"},
    {Cause::kCaptcha, Weight::kWeak, "bot check"},
    {Cause::kCaptcha, Weight::kWeak, "are you a robot"},
    {Cause::kCaptcha, Weight::kWeak, "are you human"},
    {Cause::kCaptcha, Weight::kWeak, "are you a human"},
    {Cause::kCaptcha, Weight::kWeak, "not a robot"},
    {Cause::kCaptcha, Weight::kWeak, "captcha"},
    {Cause::kCaptcha, Weight::kText, "dass Sie ein Mensch sind"},
    {Cause::kCaptcha, Weight::kText, "dass Sie kein Roboter sind"},
    {Cause::kCaptcha, Weight::kText, "Browser wird überprüft"},
    {Cause::kCaptcha, Weight::kWeak, "Sicherheitsüberprüfung"},
    {Cause::kCaptcha, Weight::kWeak, "kein Roboter"},
    {Cause::kCaptcha, Weight::kWeak, "einen Moment bitte"},
    {Cause::kCaptcha, Weight::kText, "vérifiez que vous êtes humain"},
    {Cause::kCaptcha, Weight::kText, "vérifier que vous êtes humain"},
    {Cause::kCaptcha, Weight::kText, "que vous êtes un humain"},
    {Cause::kCaptcha, Weight::kText, "que vous n'êtes pas un robot"},
    {Cause::kCaptcha, Weight::kWeak, "vérification de sécurité"},
    {Cause::kCaptcha, Weight::kWeak, "un instant"},
    {Cause::kCaptcha, Weight::kText, "verifica que eres humano"},
    {Cause::kCaptcha, Weight::kText, "verifique que es humano"},
    {Cause::kCaptcha, Weight::kText, "verifique que usted es un ser humano"},
    {Cause::kCaptcha, Weight::kText, "que no eres un robot"},
    {Cause::kCaptcha, Weight::kText, "que no es un robot"},
    {Cause::kCaptcha, Weight::kWeak, "un momento"},
    {Cause::kCaptcha, Weight::kText, "verifica di essere umano"},
    {Cause::kCaptcha, Weight::kText, "che non sei un robot"},
    {Cause::kCaptcha, Weight::kText, "verifique se você é humano"},
    {Cause::kCaptcha, Weight::kText, "que você não é um robô"},
    {Cause::kCaptcha, Weight::kText, "dat u geen robot bent"},
    {Cause::kCaptcha, Weight::kText, "dat je geen robot bent"},
    {Cause::kCaptcha, Weight::kText, "dat je een mens bent"},
    {Cause::kCaptcha, Weight::kText, "att du inte är en robot"},
    {Cause::kCaptcha, Weight::kText, "att du är människa"},
    {Cause::kCaptcha, Weight::kText, "że nie jesteś robotem"},
    {Cause::kCaptcha, Weight::kText, "что вы не робот"},
    {Cause::kCaptcha, Weight::kText, "что вы человек"},
    {Cause::kCaptcha, Weight::kWeak, "проверка безопасности"},
    {Cause::kCaptcha, Weight::kText, "robot olmadığınızı"},
    {Cause::kCaptcha, Weight::kText, "insan olduğunuzu doğrulayın"},
    {Cause::kCaptcha, Weight::kText, "ربات نیستید"},
    {Cause::kCaptcha, Weight::kWeak, "من ربات نیستم"},
    {Cause::kCaptcha, Weight::kText, "أنك لست روبوت"},
    {Cause::kCaptcha, Weight::kText, "验证您是真人"},
    {Cause::kCaptcha, Weight::kText, "请完成安全验证"},
    {Cause::kCaptcha, Weight::kWeak, "安全验证"},
    {Cause::kCaptcha, Weight::kWeak, "人机验证"},
    {Cause::kCaptcha, Weight::kText, "あなたが人間であることを確認"},
    {Cause::kCaptcha, Weight::kWeak, "ロボットではありません"},
    {Cause::kCaptcha, Weight::kText, "사람인지 확인"},
    {Cause::kCaptcha, Weight::kWeak, "로봇이 아닙니다"},
    // ---- slow down ----
    {Cause::kRateLimited, Weight::kText, "too many requests"},
    {Cause::kRateLimited, Weight::kText, "you have been rate limited"},
    {Cause::kRateLimited, Weight::kText, "you are being rate limited"},
    {Cause::kRateLimited, Weight::kText, "rate limit exceeded"},
    {Cause::kRateLimited, Weight::kText, "unusual traffic from your"},
    {Cause::kRateLimited, Weight::kText, "unusual activity from your"},
    {Cause::kRateLimited, Weight::kPart, "unusual traffic"},
    {Cause::kRateLimited, Weight::kPart, "too many connections"},
    {Cause::kRateLimited, Weight::kText, "zu viele Anfragen"},
    {Cause::kRateLimited, Weight::kText, "ungewöhnlichen Datenverkehr"},
    {Cause::kRateLimited, Weight::kText, "trop de requêtes"},
    {Cause::kRateLimited, Weight::kText, "trafic inhabituel"},
    {Cause::kRateLimited, Weight::kText, "demasiadas solicitudes"},
    {Cause::kRateLimited, Weight::kText, "demasiadas peticiones"},
    {Cause::kRateLimited, Weight::kText, "tráfico inusual"},
    {Cause::kRateLimited, Weight::kText, "troppe richieste"},
    {Cause::kRateLimited, Weight::kText, "traffico anomalo"},
    {Cause::kRateLimited, Weight::kText, "muitas requisições"},
    {Cause::kRateLimited, Weight::kText, "muitas solicitações"},
    {Cause::kRateLimited, Weight::kText, "tráfego incomum"},
    {Cause::kRateLimited, Weight::kText, "te veel verzoeken"},
    {Cause::kRateLimited, Weight::kText, "för många förfrågningar"},
    {Cause::kRateLimited, Weight::kText, "zbyt wiele żądań"},
    {Cause::kRateLimited, Weight::kText, "zbyt wiele zapytań"},
    {Cause::kRateLimited, Weight::kText, "слишком много запросов"},
    {Cause::kRateLimited, Weight::kText, "необычный трафик"},
    {Cause::kRateLimited, Weight::kText, "çok fazla istek"},
    {Cause::kRateLimited, Weight::kText, "تعداد درخواست های شما"},
    {Cause::kRateLimited, Weight::kText, "请求过于频繁"},
    {Cause::kRateLimited, Weight::kText, "访问过于频繁"},
    {Cause::kRateLimited, Weight::kText, "請求過於頻繁"},
    {Cause::kRateLimited, Weight::kText, "リクエストが多すぎます"},
    {Cause::kRateLimited, Weight::kText, "요청이 너무 많습니다"},
    // ---- a password first; these count beside a password field only ----
    {Cause::kLoginWall, Weight::kAlone, "log in"},
    {Cause::kLoginWall, Weight::kAlone, "login"},
    {Cause::kLoginWall, Weight::kAlone, "sign in"},
    {Cause::kLoginWall, Weight::kAlone, "please log in"},
    {Cause::kLoginWall, Weight::kAlone, "please sign in"},
    {Cause::kLoginWall, Weight::kAlone, "customer login"},
    {Cause::kLoginWall, Weight::kAlone, "member login"},
    {Cause::kLoginWall, Weight::kAlone, "members only"},
    {Cause::kLoginWall, Weight::kAlone, "account login"},
    {Cause::kLoginWall, Weight::kPart, "log in to your account"},
    {Cause::kLoginWall, Weight::kPart, "sign in to your account"},
    {Cause::kLoginWall, Weight::kPart, "log in to continue"},
    {Cause::kLoginWall, Weight::kPart, "sign in to continue"},
    {Cause::kLoginWall, Weight::kPart, "must be logged in"},
    {Cause::kLoginWall, Weight::kPart, "you must log in"},
    {Cause::kLoginWall, Weight::kPart, "you need to log in"},
    {Cause::kLoginWall, Weight::kAlone, "anmelden"},
    {Cause::kLoginWall, Weight::kAlone, "anmeldung"},
    {Cause::kLoginWall, Weight::kAlone, "einloggen"},
    {Cause::kLoginWall, Weight::kAlone, "kundenlogin"},
    {Cause::kLoginWall, Weight::kAlone, "bitte anmelden"},
    {Cause::kLoginWall, Weight::kPart, "bitte melden sie sich an"},
    {Cause::kLoginWall, Weight::kAlone, "connexion"},
    {Cause::kLoginWall, Weight::kAlone, "se connecter"},
    {Cause::kLoginWall, Weight::kAlone, "connectez-vous"},
    {Cause::kLoginWall, Weight::kAlone, "identifiez-vous"},
    {Cause::kLoginWall, Weight::kAlone, "iniciar sesión"},
    {Cause::kLoginWall, Weight::kAlone, "inicia sesión"},
    {Cause::kLoginWall, Weight::kAlone, "acceder"},
    {Cause::kLoginWall, Weight::kAlone, "accedi"},
    {Cause::kLoginWall, Weight::kAlone, "effettua il login"},
    {Cause::kLoginWall, Weight::kAlone, "entrar"},
    {Cause::kLoginWall, Weight::kAlone, "iniciar sessão"},
    {Cause::kLoginWall, Weight::kAlone, "fazer login"},
    {Cause::kLoginWall, Weight::kAlone, "inloggen"},
    {Cause::kLoginWall, Weight::kAlone, "aanmelden"},
    {Cause::kLoginWall, Weight::kAlone, "logga in"},
    {Cause::kLoginWall, Weight::kAlone, "log ind"},
    {Cause::kLoginWall, Weight::kAlone, "logg inn"},
    {Cause::kLoginWall, Weight::kAlone, "kirjaudu"},
    {Cause::kLoginWall, Weight::kAlone, "kirjaudu sisään"},
    {Cause::kLoginWall, Weight::kAlone, "zaloguj się"},
    {Cause::kLoginWall, Weight::kAlone, "logowanie"},
    {Cause::kLoginWall, Weight::kAlone, "přihlášení"},
    {Cause::kLoginWall, Weight::kAlone, "вход"},
    {Cause::kLoginWall, Weight::kAlone, "войти"},
    {Cause::kLoginWall, Weight::kAlone, "авторизация"},
    {Cause::kLoginWall, Weight::kAlone, "giriş yap"},
    {Cause::kLoginWall, Weight::kAlone, "oturum aç"},
    {Cause::kLoginWall, Weight::kAlone, "ورود"},
    {Cause::kLoginWall, Weight::kAlone, "ورود به سایت"},
    {Cause::kLoginWall, Weight::kAlone, "ورود به حساب کاربری"},
    {Cause::kLoginWall, Weight::kAlone, "تسجيل الدخول"},
    {Cause::kLoginWall, Weight::kAlone, "đăng nhập"},
    {Cause::kLoginWall, Weight::kAlone, "登录"},
    {Cause::kLoginWall, Weight::kAlone, "用户登录"},
    {Cause::kLoginWall, Weight::kAlone, "登入"},
    {Cause::kLoginWall, Weight::kAlone, "ログイン"},
    {Cause::kLoginWall, Weight::kAlone, "로그인"},
};

// Words that may stand beside a phrase that has to be alone.
constexpr std::array<std::string_view, 20> kNoise = {"sorry", "oops", "ops", "ups", "oh",  "uh",     "error",  "http", "status", "code",
                                                     "404",   "410",  "500", "502", "503", "fehler", "erreur", "erro", "errore", "ошибка"};
constexpr std::size_t kHeadingBytesMax = 256;

struct Known {
  PagePhrase phrase;
  Weight weight;
};

/// Phrases by their first word, so that a text costs one look-up a word.
class PhraseBook {
 public:
  PhraseBook() {
    folded_.reserve(std::size(kRows));
    for (const Row& row : kRows) {
      folded_.push_back(fold(row.words));
      const std::string_view words = folded_.back();
      by_first_word_[words.substr(0, words.find(' '))].push_back({{row.cause, row.weight == Weight::kWeak, words}, row.weight});
    }
  }

  /// The strongest phrase of `folded` that `counts`.
  template <class Counts>
  std::optional<PagePhrase> find(std::string_view folded, Counts&& counts) const {
    std::optional<PagePhrase> weak;
    for (std::size_t at = 0; at < folded.size();) {
      const std::size_t end = std::min(folded.find(' ', at), folded.size());
      if (const auto found = by_first_word_.find(folded.substr(at, end - at)); found != by_first_word_.end()) {
        for (const Known& known : found->second) {
          if (!stands_at(folded, at, known.phrase.words) || !counts(known, at)) continue;
          if (!known.phrase.is_weak) return known.phrase;
          weak = known.phrase;
        }
      }
      at = end + 1;
    }
    return weak;
  }

 private:
  static bool stands_at(std::string_view folded, std::size_t at, std::string_view words) {
    const std::string_view rest = folded.substr(at);
    return rest.starts_with(words) && (rest.size() == words.size() || rest[words.size()] == ' ');
  }

  std::vector<std::string> folded_;  // never grows after it was filled: the views below point into it
  std::unordered_map<std::string_view, std::vector<Known>> by_first_word_;
};

const PhraseBook& book() {
  static const PhraseBook phrases;
  return phrases;
}

// As fold(), at a tenth of its cost for ASCII, which most headings are. Where a full stop stands between letters the two differ; no phrase
// has one.
std::string folded_words(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return fold(text);
  std::string words;
  words.reserve(text.size());
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const bool in_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (in_word) words.push_back(c);
    else if (c != '\'' && !words.empty() && words.back() != ' ') words.push_back(' ');
  }
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

// A heading without the words of kNoise at its ends.
std::string_view without_noise(std::string_view folded) {
  const auto is_noise = [](std::string_view word) { return std::find(kNoise.begin(), kNoise.end(), word) != kNoise.end(); };
  while (!folded.empty()) {
    const std::size_t first = std::min(folded.find(' '), folded.size());
    if (!is_noise(folded.substr(0, first))) break;
    folded.remove_prefix(std::min(first + 1, folded.size()));
  }
  while (!folded.empty()) {
    const std::size_t space = folded.rfind(' ');
    if (!is_noise(folded.substr(space + 1))) break;
    folded = folded.substr(0, space == std::string_view::npos ? 0 : space);
  }
  return folded;
}

// "Error 404", "404 – Oops". A bare "404" may be a picture's number.
bool is_bare_error(std::string_view folded) {
  const bool numbered = folded.find("404") != std::string_view::npos || folded.find("410") != std::string_view::npos;
  return numbered && folded.find(' ') != std::string_view::npos && without_noise(folded).empty();
}

}  // namespace

std::optional<PagePhrase> phrase_in_heading(std::string_view text) {
  if (text.empty() || text.size() > kHeadingBytesMax) return std::nullopt;
  const std::string folded = folded_words(text);
  if (is_bare_error(folded)) return PagePhrase{Cause::kSoftError, false, "error 404"};
  const std::string_view alone = without_noise(folded);
  return book().find(folded,
                     [&](const Known& known, std::size_t) { return known.weight != Weight::kAlone || known.phrase.words == alone; });
}

std::optional<PagePhrase> phrase_in_text(std::string_view text) {
  if (text.empty()) return std::nullopt;
  return book().find(folded_words(text), [](const Known& known, std::size_t) { return known.weight == Weight::kText; });
}

}  // namespace magpie
