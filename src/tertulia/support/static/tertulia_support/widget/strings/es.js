export default {
  title: "Hable con nosotros",
  greeting: "¡Hola! Escríbanos aquí. Le responderemos en cuanto podamos.",
  close: "Cerrar el chat",
  notHere: "Esta conversación forma parte de la página de otro sitio.",

  // Who is there
  here: "Estamos aquí",
  nobody: "Ahora mismo no hay nadie.",
  opensToday: "Habrá alguien hoy a las {time}.",
  opensTomorrow: "Habrá alguien mañana a las {time}.",
  opens: "Habrá alguien el {day} a las {time}.",
  answersYou: "Le atiende {name}",

  // The log
  messages: "Mensajes",
  earlier: "Mensajes anteriores",
  newBelow: { one: "{n} nuevo ↓", other: "{n} nuevos ↓" },
  toLatest: "A lo más reciente ↓",
  today: "Hoy",
  yesterday: "Ayer",
  you: "Usted",
  saidBy: "{name}: {text}",
  newMessages: { one: "{n} mensaje nuevo", other: "{n} mensajes nuevos" },
  deletedText: "Este mensaje se ha borrado.",
  edited: "(editado)",
  typing: "{name} está escribiendo…",

  // How it stands with a message
  waiting: "A la espera de la conexión",
  sending: "Enviando…",
  again: { one: "Se reenvía en {n} s", other: "Se reenvía en {n} s" },
  stored: "Enviado",
  delivered: "Entregado",
  read: "Leído",
  notSent: "No enviado: {why}",
  retry: "Reintentar",
  discard: "Descartar",
  notKept: "Este navegador no guarda nada: deje la página abierta hasta que se envíe.",

  // The connection
  connecting: "Conectando…",
  offline: "Está sin conexión. Lo que escriba se enviará después.",
  unopened: "Ahora mismo no se puede mostrar su conversación. Reintentando…",
  unreachable: "No se puede acceder al chat. Reintentando…",
  refused: "Ahora mismo no se puede usar el chat aquí. Vuelva a cargar la página.",
  identityOld: "Esta página lleva demasiado tiempo abierta. Vuelva a cargarla para seguir: lo que ha escrito se conserva.",
  linkOld: "El enlace del correo es demasiado antiguo para abrir su conversación. Puede escribirnos aquí.",

  // Writing
  message: "Mensaje",
  placeholder: "Escriba un mensaje…",
  send: "Enviar",
  tooLong: { one: "Sobra {n} carácter", other: "Sobran {n} caracteres" },

  // An address
  emailOffer: "Deje su correo electrónico y recibirá por él las respuestas cuando ya no esté aquí.",
  email: "Correo electrónico",
  leave: "Guardar",
  emailWrong: "Esto no parece una dirección de correo.",
  emailNoMore: "No podemos escribir a esta dirección. El último correo que enviamos a ella tiene un enlace para cambiarlo.",
  emailKept: "Tenemos su dirección: {email}",
  change: "Cambiarla",

  // The end
  resolved: "Esta conversación está cerrada. Escriba para volver a abrirla.",
  another: "Iniciar otra conversación",
  goBack: "Volver a la última conversación",
  rate: "¿Qué tal le hemos atendido?",
  "rating.1": "Muy mal",
  "rating.2": "Mal",
  "rating.3": "Regular",
  "rating.4": "Bien",
  "rating.5": "Muy bien",
  rateText: "¿Quiere añadir algo? (opcional)",
  rated: "Gracias por su valoración.",
  tryLater: "No ha funcionado. Inténtelo de nuevo dentro de un momento.",

  // Refusals
  "error.forbidden": "no está permitido",
  "error.not_found": "la conversación ya no está",
  "error.too_large": "es demasiado largo",
  "error.invalid": "no se puede enviar así",
  "error.conflict": "ya se había enviado",
  "error.other": "el servidor no lo ha aceptado",
};
