#include "text/stop_words.h"

#include <utility>

namespace magpie {
namespace {

constexpr std::pair<std::string_view, std::string_view> kStopWords[] = {
    {"en",
     "a about after all also an and any are as at be been but by can could do for from get had has have he her here his how i if in into "
     "is it its "
     "just like more most my new no not now of on one only or other our out over per she so some than that the their them then there these "
     "they this "
     "to up us use was we were what when where which who will with would you your shop buy cart add price view home page free shipping"},
    {"de",
     "aber alle als also am an auch auf aus bei bin bis das dass dem den der des die dir doch du durch ein eine einem einen einer eines er "
     "es fur "
     "hat ich ihr im in ist ja kann mehr mein mit nach nicht noch nur ob oder ohne sehr sein sich sie sind so uber um und uns unter vom "
     "von vor war "
     "was wenn wie wir wird zu zum zur shop kaufen warenkorb preis startseite inkl mwst zzgl versand"},
    {"fr",
     "a au aux avec c ce ces cette d dans de des du elle en est et etre il ils j je l la le les leur lui m ma mais me mes mon n ne nos "
     "notre nous on "
     "ou par pas plus pour qu que qui s sa sans se ses son sont sur ta te tout tu un une vos votre vous y acheter panier prix accueil "
     "livraison"},
    {"es",
     "a al como con cual de del desde donde el ella en entre era es esta este esto ha hay la las le lo los mas me mi muy no nos o para "
     "pero por que "
     "se ser si sin sobre son su sus te tu un una uno y ya comprar carrito precio inicio envio"},
    {"it",
     "a ad al alla alle anche c che chi ci come con cui d da dal dalla de degli dei del della delle di e ed era gli ha i il in io l la le "
     "lo ma mi "
     "nel nella non o per piu quando questa questo s se si sono su sua suo tra un una uno vi acquista carrello prezzo spedizione"},
    {"pt",
     "a ao aos as com como da das de do dos e ela ele em entre era essa esse esta este eu foi ha isso ja la mais mas me meu na nao nas no "
     "nos o os ou "
     "para pela pelo por que se sem ser seu sua tem um uma voce comprar carrinho preco frete"},
    {"nl",
     "aan al als bij dan dat de deze die dit door een en er het hij ik in is je kan maar me meer met mijn naar niet nog nu of om onder ons "
     "ook op over "
     "te tot uit van voor was wat we wel wij wordt ze zich zij zijn zo winkelwagen prijs bestellen"},
    {"sv",
     "alla att av de den det du efter ej eller en ett for fran har hon i in inte jag kan med men mer mot nar nu och om oss pa sa sig sin "
     "som till ut "
     "under upp var vi vid ar kop pris varukorg"},
    {"da",
     "af alle at blev da de den der det dig du eller en er et for fra ham han har hun i ikke jeg kan med men mere mig nar nu og om op os "
     "pa sa sig som "
     "til ud under var vi ved kob pris"},
    {"no",
     "alle at av da de den der det du eller en er et for fra han har hun i ikke jeg kan med men mer na nar og om opp oss pa sa seg som til "
     "under ut var "
     "vi ved kjop pris"},
    {"fi",
     "ei en etta han he hyva ja jo joka jos kun kuin me mina mita mutta myos ne niin nyt ole on ovat se sen sina tai tama te vain voi"},
    {"pl",
     "a aby albo ale bez bo byc co czy dla do gdy i ich ile im ja jak jako je jest juz lub ma mnie moze na nad nie niz o od on ona oraz po "
     "pod przez "
     "przy sa sie ta tak ten to tu ty w we z za ze zl koszyk cena kup"},
    {"cs",
     "a aby ale ani az bez by co do i ja jak jako je jeho jen jeste ji jsou k kde kdyz ke ma mezi na nad ne nebo nebyl o od po pod pro "
     "proto pri s se si "
     "ta tak take ten to tu u uz v ve z za ze kosik cena koupit"},
    {"ro",
     "a acest ai al ale am ar are as ca care ce cel cu da dar de din dupa ea el este eu fi in intre la lui mai ne nu o pe pentru prin sa "
     "sau se si sunt "
     "un una unui va cos pret lei"},
    {"hu", "a az egy es hogy is nem van ez csak meg de ha mar mint vagy be ki el le fel kosar ar ft"},
    {"tr",
     "acaba ama bir bu cok da daha de diye en gibi her icin ile ise kadar ki mi ne nasil o olan sen siz su tum ve veya ya sepet fiyat"},
    {"id", "ada adalah agar akan atau dan dari dengan di ini itu juga karena ke kami pada saya sebagai untuk yang harga beli"},
    {"ru",
     "а без бы был в вам вас все вы где да для до его ее если есть еще же за и из или им их к как ко когда кто ли мы на над не нет но о об "
     "он она они "
     "от по под при с со так такои там то тои только ты у уже что чтобы это я руб корзина цена купить"},
    {"uk",
     "а але без би був в вам все ви де для до його є за з і із або їх к як коли ми на не ні о об від по під при с та так то тут у це що я "
     "грн кошик ціна"},
    {"el", "ο η το οι τα του τησ των τον την και να σε με απο για που δεν ειναι αυτο ενα μια στο στη στην ωσ"},
    {"ar", "في من على ان أن إلى الى عن مع هذا هذه التي الذي ما لا هو هي كل او أو ثم قد"},
    {"fa", "و در به از که این را با است برای آن یک تا هم نیز می شود بر ها های تومان ریال"},
    {"he", "של את על עם לא כל או זה זו הוא היא אני אם גם אל מה כי יש אין"},
    {"hi", "के का में की है और से को पर यह हैं एक ने कि भी लिए इस था या"},
};

}  // namespace

std::string_view stop_words(std::string_view primary_language) {
  if (primary_language == "nb" || primary_language == "nn") primary_language = "no";
  if (primary_language == "sk") primary_language = "cs";
  for (const auto& [language, words] : kStopWords) {
    if (language == primary_language) return words;
  }
  return {};
}

}  // namespace magpie
